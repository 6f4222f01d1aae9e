/**
 * worker-threads, the model and nothing else: a thread pool. The main thread waits for sockets, and a pool
 * of threads answers the lines. One task at a time for each client keeps its lines in order.
 */
import { createServer } from 'node:net';
import { Piscina } from 'piscina';
import { LineFramer } from '../../echo/framing.ts';

const pool = new Piscina<{ lines: Buffer }, Uint8Array>({
  filename: new URL('answer.ts', import.meta.url).href,
  workerData: { work: 0, wait: 0, endOfLine: 'crlf', speed: 0 }, // index.ts sets these by its options
});

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const framer = new LineFramer('crlf', 65536);
  let lastAnswer = Promise.resolve();
  socket.on('data', (chunk) => {
    socket.pause(); // backpressure: until the kernel has taken this answer
    lastAnswer = answer(Buffer.concat(framer.push(chunk)));
  });
  socket.on('end', () => lastAnswer.then(() => socket.end()));
  socket.on('error', () => socket.destroy());

  async function answer(lines: Buffer): Promise<void> {
    const answered = lines.length > 0 ? await pool.run({ lines }) : lines;
    socket.write(answered, () => socket.resume());
  }
});

server.listen(Number(process.env.PORT ?? 12321), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`worker-threads core listening on 127.0.0.1:${port} (pid ${process.pid})`);
});
