/** One worker of the cluster: a whole server in an event loop of its own, on listeners that all workers share. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import type { Options } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import { type Connection, drained, sendAll, serve, Turns } from '../../node-net/index.ts';

/** What a worker sends to the primary. */
export type Message = 'started' | 'listening' | 'admit' | 'release';

/** What the primary sends to a worker that has started. */
export interface Settings {
  readonly options: Options;
  /** Descriptors of the shared listeners, as the primary numbers them. */
  readonly listeners: readonly number[];
}

/** What the primary sends later. At `stopBy`, by `Date.now()`, connections that are still open are closed forcibly. */
export type Order = 'admitted' | 'refused' | 'log' | { readonly stopBy: number };

const tell = (message: Message) => process.send?.(message);

tell('started');
const [{ options, listeners }] = (await once(process, 'message')) as [Settings];
const { work, wait, endOfLine, maxConnections } = options;

// The primary writes the first line of the log. Until then, this worker's lines are held back.
process.stdout.cork();
const log = new Log(options, `${process.pid}/`);
const speed = work > 0 ? measureSpeed() : 0;
const turns = new Turns();

function echo(client: Connection): void {
  const { socket, framer } = client;
  socket.on('data', (chunk) => {
    const lines = framer.push(chunk);
    if (work > 0 || wait > 0) return answerEach(client, lines);
    if (sendAll(socket, lines)) return client.settle();
    client.hold(); // backpressure: a client that does not read is not read from
    socket.once('drain', () => client.settle());
  });
}

/** With --work or --wait: answers the lines one by one, so that other clients are served in between. */
async function answerEach(client: Connection, lines: readonly Buffer[]): Promise<void> {
  const { socket } = client;
  client.hold();
  for (const line of linesOf(Buffer.concat(lines), endOfLine)) {
    await turns.next();
    if (work > 0 && client.isOpen) burn(line, work, speed);
    if (wait > 0 && client.isOpen) await sleep(wait);
    if (!client.isOpen) return;
    socket.write(line);
    await drained(socket);
  }
  client.settle();
}

/** The clients about which the primary has been asked. It answers in the order of the questions. */
const asked: ((isAdmitted: boolean) => void)[] = [];

/** With --max-connections: only the primary knows how many connections all workers have. */
function admit(): Promise<boolean> {
  tell('admit');
  return new Promise((resolve) => asked.push(resolve));
}

// Before `serve`, which asks. The order to stop comes only to a worker that has said that it listens.
process.on('message', (order: Order) => {
  if (order === 'admitted' || order === 'refused') asked.shift()?.(order === 'admitted');
  else if (order === 'log') process.stdout.uncork();
  else stop(order.stopBy - Date.now()); // a worker that hears of the signal late has less time
});
const service = await serve(options, log, echo, {
  listeners,
  admission: Number.isFinite(maxConnections)
    ? { admit, release: () => tell('release') }
    : undefined,
});

/** Ctrl-C reaches this worker twice, as a signal and as the primary's order. The second call does no harm. */
async function stop(grace?: number): Promise<void> {
  await service.stop(grace);
  await log.flush();
  process.exit(0);
}

onShutdown(() => stop());
tell('listening');
