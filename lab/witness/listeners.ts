/** The inodes of all sockets that listen on a port, from the kernel's table of them (proc(5)). */
import { existsSync, readFileSync } from 'node:fs';

/** The state LISTEN, as /proc/net/tcp writes it. */
const LISTEN = '0A';

/** Reads the whole table, which takes milliseconds: for the beginning, and for new processes. */
export function listenersOn(port: number): number[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'latin1').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, at = '', , state]) => at.endsWith(local) && state === LISTEN)
    .map((fields) => Number(fields[9]));
}
