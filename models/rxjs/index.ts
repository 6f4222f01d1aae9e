/**
 * rxjs: nobody waits. Clients, chunks, lines and answers are streams, and the pipelines below say what
 * becomes of them.
 *
 * `mergeMap` lets all clients run side by side. `concatMap` keeps one client's answers in order: it takes
 * the next when the one before has completed. A stream pushes and does not ask whether there is room, so
 * the backpressure is explicit: an answer that takes time holds the client, and its socket is paused.
 */
import {
  concatMap,
  defer,
  delay,
  EMPTY,
  finalize,
  from,
  fromEvent,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  Subject,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import { type Connection, sendAll, serve, Turns } from '../../node-net/index.ts';

const model: Model = { name: 'rxjs', summary: 'connections, lines and answers are streams' };

await main(model, async (options) => {
  const log = new Log(options);
  const { work, wait, endOfLine } = options;
  const speed = work > 0 ? measureSpeed() : 0;
  const turns = new Turns();
  const clients = new Subject<Connection>();
  const answer = work > 0 || wait > 0 ? eachLine : sent;

  clients.pipe(mergeMap(answersTo)).subscribe();

  /** From a client's chunks to its answers; the stream itself carries nothing but the order. */
  function answersTo(client: Connection): Observable<never> {
    return fromEvent(client.socket, 'data').pipe(
      map((chunk) => client.framer.push(chunk as Buffer)),
      concatMap((lines) => holding(client, answer(client, lines))),
      takeUntil(fromEvent(client.socket, 'close')),
    );
  }

  /** With --work or --wait: the lines one by one. Who unsubscribes when the client has left pays no more. */
  function eachLine(client: Connection, lines: readonly Buffer[]): Observable<unknown> {
    return from(linesOf(Buffer.concat(lines), endOfLine)).pipe(
      concatMap((line) =>
        defer(() => turns.next()).pipe(
          tap(() => work > 0 && burn(line, work, speed)),
          delay(wait),
          concatMap(() => sent(client, [line])),
        ),
      ),
    );
  }

  const service = await serve(options, log, (client) => clients.next(client));
  onShutdown(async (signal) => {
    log.notice(`${signal}: stopping with ${service.open} open`);
    await service.stop();
    await log.flush();
    process.exit(0);
  });
  log.listening(service.addresses); // last: who reads it may send a signal at once
});

/** Sends lines; completes when the kernel has taken them: mostly it has at once. */
function sent({ socket }: Connection, lines: readonly Buffer[]): Observable<unknown> {
  sendAll(socket, lines);
  return socket.writableLength === 0 ? EMPTY : fromEvent(socket, 'drain').pipe(take(1));
}

/** Backpressure: while an answer is outstanding, its client is not read from. */
function holding(client: Connection, answer: Observable<unknown>): Observable<never> {
  if (answer === EMPTY) {
    client.settle();
    return EMPTY;
  }
  client.hold();
  return answer.pipe(
    ignoreElements(),
    finalize(() => client.settle()),
  );
}
