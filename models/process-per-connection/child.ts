/**
 * One process: it serves the client whose socket is its descriptor 0 to its end, in blocking calls, and ends.
 * The parent tells it by SIGUSR2 that the server stops. SIGINT and SIGTERM are for the parent: Ctrl-C in a terminal
 * reaches all processes.
 */
import { writeSync } from 'node:fs';
import { blockingEcho, type Settings } from '../../blocking-net/echo.ts';
import { endOf, type Report, remoteLog } from '../../blocking-net/report.ts';
import { Signals } from '../../blocking-net/signals.ts';
import { dieWithParent } from '../../sockets/index.ts';

/** What a process is started with: JSON, as its only argument. */
export interface Task extends Settings {
  readonly parent: number;
}

/** What a process tells its parent, as lines of JSON: it handles signals now, and what concerns the log. */
export type Message = 'ready' | Report;

/** The descriptors that it was started with. */
const [CLIENT, PARENT] = [0, 3];
/** How long a call waits at most. It need not wake up for signals, because the parent repeats its own. */
const AN_HOUR_MS = 3_600_000;

const { parent, ...settings } = JSON.parse(process.argv[2] ?? '') as Task;
dieWithParent(parent);
const tell = (message: Message) => writeSync(PARENT, `${JSON.stringify(message)}\n`);

const signals = new Signals(AN_HOUR_MS);
process.on('SIGUSR2', () => signals.stop());
process.on('SIGINT', () => {}).on('SIGTERM', () => {});
tell('ready');

const echo = blockingEcho(settings, signals);
// Not from inside this module's evaluation, during which no signal handler runs.
setImmediate(async () => {
  tell(endOf(await echo(CLIENT, remoteLog(tell)))); // sleeps in recv(2) and send(2)
  process.exit(0);
});
