/**
 * process-per-connection, the model and nothing else: as inetd does, it starts a process for each client. The
 * accepted socket is that process's descriptor 0, and the process sleeps in recv(2) and send(2) for this client only.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { javascriptOf } from '../../blocking-net/javascript.ts';
import * as sys from '../../sockets/index.ts';

if (process.argv[2] === 'serve') {
  serve(0); // an error, such as a reset, ends this process, and no other
} else {
  const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
  const { fd, at: bound } = sys.openListener(at);
  const program = fileURLToPath(javascriptOf(new URL(import.meta.url))); // starts sooner than TypeScript
  console.log(
    `process-per-connection core listening on 127.0.0.1:${bound.port} (pid ${process.pid})`,
  );

  for (;;) {
    const client = sys.accept(fd); // sleeps until a client comes
    spawn(process.execPath, [program, 'serve'], { stdio: [client, client, 'ignore'] });
    sys.close(client); // it is the other process's now
    await sys.runEventLoop(); // so that processes that have ended are waited for
  }
}

/** Answers one client until it has sent its FIN. */
function serve(client: number): void {
  const chunk = Buffer.alloc(65536);
  let unfinished = Buffer.alloc(0);
  for (;;) {
    const length = sys.recv(client, chunk); // this process sleeps until bytes come
    if (length === 0) return;
    const input = Buffer.concat([unfinished, chunk.subarray(0, length)]);
    const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
    for (let sent = 0; sent < end; ) sent += sys.send(client, input, sent, end - sent); // … until there is room
    unfinished = input.subarray(end);
  }
}
