/** What the baselines share, and what is not measured. */
import type { AddressInfo, Server } from 'node:net';
import { parseArgs } from 'node:util';

/** As in the models: many clients that come at once are not turned away. */
export const BACKLOG = 4096;

/** `--port N`; 12321 without it, 0 picks a free one. */
export function portFromArguments(): number {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '12321' } } });
  return Number(values.port);
}

/** The line that every server here prints first. */
export function announce(name: string, server: Server): void {
  const { port } = server.address() as AddressInfo;
  console.log(`${name} listening on 127.0.0.1:${port} (pid ${process.pid})`);
}
