/**
 * cluster, the model and nothing else: a pre-fork server. Four processes share one listener; each accepts
 * for itself, and serves its clients in an event loop of its own.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:net';
import { LineFramer } from '../../echo/framing.ts';

cluster.schedulingPolicy = cluster.SCHED_NONE; // the kernel chooses who accepts, not the primary

if (cluster.isPrimary) {
  for (let i = 0; i < 4; i++) cluster.fork();
  cluster.once('listening', (_, { port }) => {
    console.log(`cluster core listening on 127.0.0.1:${port} (pid ${process.pid})`);
  });
  cluster.on('exit', () => cluster.fork()); // its clients are lost; those of the others notice nothing
} else {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const framer = new LineFramer('crlf', 65536);
    socket.on('data', (chunk) => {
      const hasRoom = socket.write(Buffer.concat(framer.push(chunk)));
      if (!hasRoom) socket.pause(); // backpressure: a client that does not read is not read from
    });
    socket.on('drain', () => socket.resume());
    socket.on('end', () => socket.end());
    socket.on('error', () => socket.destroy());
  });
  server.listen(Number(process.env.PORT ?? 12321), '127.0.0.1');
}
