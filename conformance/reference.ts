/**
 * A server that is meant to be obviously right, and nothing else: bytes are appended, lines are cut off
 * the front, one at a time. It shares no code with the models.
 */
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { port: { type: 'string', default: '12321' } } });
const MAX_LINE = 65536;

function echo(socket: Socket): void {
  let unanswered = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    unanswered = Buffer.concat([unanswered, chunk]);
    for (;;) {
      const at = unanswered.subarray(0, MAX_LINE).indexOf('\r\n');
      if (at < 0) break;
      socket.write(unanswered.subarray(0, at + 2));
      unanswered = unanswered.subarray(at + 2);
    }
    if (unanswered.length >= MAX_LINE) {
      socket.removeAllListeners('data');
      socket.end();
      socket.resume(); // thrown away until the client closes, too
      setTimeout(() => socket.destroy(), 1000).unref();
    } else if (socket.writableLength > 0) {
      socket.pause();
      socket.write('', () => socket.resume());
    }
  });
  socket.on('end', () => socket.end());
}

const options = { allowHalfOpen: true, noDelay: true };
const v4 = createServer(options, echo);
v4.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 1024 }, () => {
  const { port } = v4.address() as { port: number };
  const v6 = createServer(options, echo);
  const announce = (rest: string) =>
    console.log(`reference listening on 127.0.0.1:${port}${rest} (pid ${process.pid})`);
  v6.once('error', () => announce(''));
  v6.listen({ port, host: '::1', backlog: 1024 }, () => announce(` [::1]:${port}`));
});
process.on('SIGTERM', () => process.exit(0));
