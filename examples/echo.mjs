/**
 * A right line-echo server in Node: one async function for each client.
 *
 * node examples/echo.mjs          # port 12321, or PORT in the environment
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const PORT = Number(process.env.PORT ?? 12321);
const MAX_LINE = 65536; // bytes, CR LF included

async function serve(socket) {
  socket.on('error', () => {}); // a client that resets its connection must not end the server
  let unfinished = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.concat([unfinished, chunk]);
    const end = complete(bytes);
    unfinished = bytes.subarray(end);
    // Backpressure: no reading while the client does not read.
    if (end > 0 && !socket.write(bytes.subarray(0, end))) await once(socket, 'drain');
    if (unfinished.length >= MAX_LINE) break;
  }
  // Half-close, then read on until the client has closed as well. To close with bytes unread would send a
  // reset, which can destroy echoes that are still on their way.
  socket.end();
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}

/** Where the last complete line ends, up to a line that is too long; 0 when none is complete. */
function complete(bytes) {
  for (let end = 0; ; ) {
    const next = bytes.subarray(end, end + MAX_LINE).indexOf('\r\n');
    if (next < 0) return end;
    end += next + 2;
  }
}

// Without allowHalfOpen, Node would close when the client has sent its FIN, and lose what is not sent yet.
const options = { allowHalfOpen: true, noDelay: true };
const listen = (host) =>
  new Promise((resolve, reject) => {
    const server = createServer(options, (socket) => serve(socket).catch(() => socket.destroy()));
    server.once('error', reject);
    server.listen({ host, port: PORT, backlog: 1024 }, resolve);
  });

await listen('127.0.0.1');
await listen('::1').catch(() => {}); // a machine without IPv6
console.log(`echo.mjs listening on 127.0.0.1:${PORT} (pid ${process.pid})`);
