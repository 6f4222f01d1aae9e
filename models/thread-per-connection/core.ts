/**
 * thread-per-connection, the model and nothing else: the main thread accepts, and each client has a thread that
 * does for it what `blocking` does: it sleeps in recv(2) and send(2). A thread whose client has left takes another.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { javascriptOf } from '../../blocking-net/javascript.ts';
import * as sys from '../../sockets/index.ts';

if (isMainThread) {
  const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
  const { fd, at: bound } = sys.openListener(at);
  const program = javascriptOf(new URL(import.meta.url)); // Node 20 runs no TypeScript in a thread
  console.log(
    `thread-per-connection core listening on 127.0.0.1:${bound.port} (pid ${process.pid})`,
  );

  const idle: Worker[] = [];
  for (;;) {
    const client = sys.accept(fd); // sleeps until a client comes
    await sys.runEventLoop(); // threads say that they are idle
    const thread = idle.pop() ?? new Worker(program, { execArgv: [] });
    thread.once('message', () => idle.push(thread)); // it is done with this client
    thread.postMessage(client); // threads share their descriptors: the number is enough
  }
} else {
  parentPort?.on('message', (client: number) => {
    try {
      serve(client);
    } catch {
      // This client has reset the connection. Those of the other threads notice nothing.
    }
    sys.close(client);
    parentPort?.postMessage('idle');
  });
}

/** Answers one client until it has sent its FIN. */
function serve(client: number): void {
  const chunk = Buffer.alloc(65536);
  let unfinished = Buffer.alloc(0);
  for (;;) {
    const length = sys.recv(client, chunk); // this thread sleeps until bytes come
    if (length === 0) return;
    const input = Buffer.concat([unfinished, chunk.subarray(0, length)]);
    const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
    for (let sent = 0; sent < end; ) sent += sys.send(client, input, sent, end - sent); // … until there is room
    unfinished = input.subarray(end);
  }
}
