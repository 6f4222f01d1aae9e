/**
 * rxjs, the model and nothing else: clients, chunks and answers are streams. `mergeMap` lets the clients run
 * side by side, `concatMap` keeps each client's answers in order.
 */
import { createServer, type Socket } from 'node:net';
import {
  concatMap,
  EMPTY,
  finalize,
  fromEvent,
  map,
  mergeMap,
  type Observable,
  take,
  takeUntil,
} from 'rxjs';
import { LineFramer } from '../../echo/framing.ts';

const server = createServer({ allowHalfOpen: true });

fromEvent(server, 'connection')
  .pipe(mergeMap((socket) => answersTo(socket as Socket)))
  .subscribe();

function answersTo(socket: Socket): Observable<unknown> {
  const framer = new LineFramer('crlf', 65536);
  socket.on('end', () => socket.end()).on('error', () => socket.destroy());
  return fromEvent(socket, 'data').pipe(
    map((chunk) => Buffer.concat(framer.push(chunk as Buffer))),
    concatMap((lines) => (socket.write(lines) ? EMPTY : room(socket))),
    takeUntil(fromEvent(socket, 'close')), // or mergeMap would keep the client for ever
  );
}

/** Backpressure: pauses the client until the kernel has taken its answer. */
function room(socket: Socket): Observable<unknown> {
  socket.pause();
  return fromEvent(socket, 'drain').pipe(
    take(1),
    finalize(() => socket.resume()),
  );
}

server.listen(Number(process.env.PORT ?? 12321), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`rxjs core listening on 127.0.0.1:${port} (pid ${process.pid})`);
});
