/**
 * rxjs: nobody waits, because streams push. Clients, chunks, lines and answers are streams, and the pipelines
 * below say what becomes of them. The same without options, log, limits and signals is core.ts.
 *
 * `mergeMap` lets all clients run side by side. `concatMap` keeps one client's answers in order: it begins
 * the next when the one before has completed. A stream pushes and does not ask whether there is room. So
 * the backpressure is explicit: while an answer takes time, the client's socket is paused.
 */
import {
  concatMap,
  defer,
  delay,
  EMPTY,
  finalize,
  from,
  fromEvent,
  identity,
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
import { burn, measureSpeed } from '../../echo/work.ts';
import { type Connection, runUntilSignal, sendAll, serve, Turns } from '../../node-net/index.ts';

const model: Model = { name: 'rxjs', summary: 'connections, lines and answers are streams' };

await main(model, async (options) => {
  const log = new Log(options);
  const { work, wait, endOfLine } = options;
  const speed = work > 0 ? measureSpeed() : 0;
  const turns = new Turns();
  const clients = new Subject<Connection>();
  const answer = work > 0 || wait > 0 ? answerEach : send;

  clients.pipe(mergeMap(answersTo)).subscribe();

  /** From a client's chunks to its answers. It emits nothing: what counts is when it completes. */
  function answersTo(client: Connection): Observable<never> {
    return fromEvent(client.socket, 'data').pipe(
      map((chunk) => client.framer.push(chunk as Buffer)),
      concatMap((lines) => pausedDuring(client, answer(client, lines))),
      takeUntil(fromEvent(client.socket, 'close')),
    );
  }

  /** With --work or --wait: the lines one by one. When the client leaves, it is unsubscribed: no more work. */
  function answerEach(client: Connection, lines: readonly Buffer[]): Observable<unknown> {
    return from(linesOf(Buffer.concat(lines), endOfLine)).pipe(
      concatMap((line) =>
        defer(() => turns.next()).pipe(
          tap(() => work > 0 && burn(line, work, speed)),
          // Even delay(0) is a timer: the answer would wait for the next client’s line.
          wait > 0 ? delay(wait) : identity,
          concatMap(() => send(client, [line])),
        ),
      ),
    );
  }

  runUntilSignal(await serve(options, log, (client) => clients.next(client)), log);
});

/** Sends lines, and completes when the kernel has taken them: `EMPTY` if it has at once, as it mostly does. */
function send({ socket }: Connection, lines: readonly Buffer[]): Observable<unknown> {
  sendAll(socket, lines);
  return socket.writableLength === 0 ? EMPTY : fromEvent(socket, 'drain').pipe(take(1));
}

/** Backpressure: while an answer is outstanding, its client is not read from. */
function pausedDuring(client: Connection, answer: Observable<unknown>): Observable<never> {
  if (answer === EMPTY) {
    client.settle(); // the kernel has taken it already: no pause
    return EMPTY;
  }
  client.hold();
  return answer.pipe(
    ignoreElements(),
    finalize(() => client.settle()),
  );
}
