/**
 * blocking, the model and nothing else: an iterative server. It serves one client after another, and
 * sleeps in the kernel wherever it waits: in accept(2), recv(2) and send(2).
 */
import * as sys from '../../sockets/index.ts';

const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
const listener = sys.openListener(at);
console.log(`blocking core listening on 127.0.0.1:${listener.at.port} (pid ${process.pid})`);

const chunk = Buffer.alloc(65536);
for (;;) {
  const client = sys.accept(listener.fd); // sleeps until a client comes
  try {
    serve(client);
  } catch {
    // This client has reset the connection; the next one waits in the backlog.
  }
  sys.close(client);
}

/** Answers one client until it has sent its FIN. */
function serve(client: number): void {
  let unfinished = Buffer.alloc(0);
  for (;;) {
    const length = sys.recv(client, chunk); // sleeps until bytes come
    if (length === 0) return;
    const input = Buffer.concat([unfinished, chunk.subarray(0, length)]);
    const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
    for (let sent = 0; sent < end; ) sent += sys.send(client, input, sent, end - sent); // sleeps until there is room
    unfinished = input.subarray(end);
  }
}
