/** Ends a server when this process has gone, whatever happened to it: SIGKILL, too. */
import { spawn } from 'node:child_process';
import { MARK } from './processes.ts';

/**
 * It reads from a pipe that nobody else holds: the end of input tells that this process has gone. Then it
 * kills the server's process group, and, on Linux, whoever carries its mark.
 */
const SCRIPT = `
read -r word
[ "$word" = done ] && exit
kill -KILL -- "-$1" 2>/dev/null
for file in $(grep -lsF "${MARK}=$2" /proc/[0-9]*/environ); do
  pid=\${file#/proc/}
  kill -KILL "\${pid%/environ}" 2>/dev/null
done`;

/**
 * Watches over a server that was started.
 *
 * @param group - its process group
 * @param mark - the value of the variable that marks its processes
 * @returns what calls the watch off: the server has been ended
 */
export function watchOver(group: number, mark: string): () => void {
  const dog = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(group), mark], {
    detached: true, // Ctrl-C is not for it
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  dog.on('error', () => undefined); // a system without a shell has no watchdog
  dog.stdin?.on('error', () => undefined);
  dog.unref();
  (dog.stdin as unknown as { unref?: () => void })?.unref?.();
  return () => dog.stdin?.end('done\n');
}
