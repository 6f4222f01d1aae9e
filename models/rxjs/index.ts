/**
 * rxjs: nobody waits. Clients, chunks, lines and answers are streams, and the pipeline below says what
 * becomes of them.
 *
 * A stream pushes; it does not ask whether there is room. So the backpressure is explicit: an answer
 * that takes time is a stream of its own, which `concatMap` waits for, and which keeps the client's
 * socket paused, so that no queue grows in front of `concatMap`.
 */
import {
  concatMap,
  defer,
  filter,
  finalize,
  from,
  fromEvent,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  repeat,
  Subject,
  takeUntil,
  takeWhile,
} from 'rxjs';
import { linesOf } from '../../echo/framing.ts';
import { Log } from '../../echo/log.ts';
import { main } from '../../echo/main.ts';
import type { Model } from '../../echo/options.ts';
import { onShutdown } from '../../echo/shutdown.ts';
import { burn, measureSpeed } from '../../echo/work.ts';
import { type Connection, nextTurn, serve } from '../../node-net/index.ts';

const model: Model = { name: 'rxjs', summary: 'connections, lines and answers are streams' };

await main(model, async (options) => {
  const log = new Log(options);
  const speed = options.work > 0 ? measureSpeed() : 0;
  const clients = new Subject<Connection>();

  clients.pipe(mergeMap(answersTo)).subscribe();

  /** From a client's chunks to its answers; the stream itself carries nothing but the order. */
  function answersTo(client: Connection): Observable<never> {
    return fromEvent(client.socket, 'data').pipe(
      map((chunk) => client.framer.push(chunk as Buffer)),
      map((lines) => (options.work > 0 ? workedOff(client, lines) : sent(client, lines))),
      // An inner stream that is empty would cost a tenth of the throughput: most answers need none.
      filter((outstanding) => outstanding !== undefined),
      concatMap((outstanding) => holding(client, outstanding)),
      takeUntil(fromEvent(client.socket, 'close')),
    );
  }

  /** Completes when the kernel has taken the lines. Mostly it has at once, and there is no stream to wait for. */
  function sent(client: Connection, lines: readonly Buffer[]): Observable<void> | undefined {
    const outstanding = client.write(lines);
    client.finishIfOverlong();
    return outstanding && from(outstanding);
  }

  /** With --work: asks for the next line when the one before is answered, so that others come in between. */
  function workedOff(client: Connection, lines: readonly Buffer[]): Observable<boolean> {
    const remaining = linesOf(Buffer.concat(lines), options.endOfLine);
    const answerNext = async () => {
      await nextTurn();
      const { value: line } = remaining.next();
      if (!line || client.isOver) return false;
      burn(line, options.work, speed);
      await client.write([line]);
      return true;
    };
    return defer(answerNext).pipe(
      repeat(),
      takeWhile((isMore) => isMore),
      finalize(() => client.finishIfOverlong()),
    );
  }

  const service = await serve(options, log, (client) => clients.next(client));
  onShutdown(async (signal) => {
    log.notice(`${signal}: stopping with ${service.open} open`);
    await service.stop();
    process.exit(0);
  });
  log.listening(service.addresses); // last: who reads it may send a signal at once
});

/** Keeps a client's input waiting while an answer is outstanding. */
function holding(client: Connection, answer: Observable<unknown>): Observable<never> {
  return defer(() => {
    client.pause();
    return answer.pipe(
      ignoreElements(),
      finalize(() => client.resume()),
    );
  });
}
