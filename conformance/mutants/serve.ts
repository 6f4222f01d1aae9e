/** What every mutant needs to be a server at all: a port, and the line that tells it. */
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

const CRLF = '\r\n';

export function serve(onSocket: (socket: Socket) => void, { survivesResets = true } = {}): void {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (survivesResets) socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    onSocket(socket);
  });
  server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 1024 }, () => {
    console.log(`mutant listening on 127.0.0.1:${(server.address() as { port: number }).port}`);
  });
}

/**
 * Right framing and right backpressure, for mutants whose defect is elsewhere.
 *
 * @param answer - what goes back for the complete lines of one read
 */
export function echoLines(
  socket: Socket,
  answer: (lines: Buffer) => Buffer = (lines) => lines,
  terminator = CRLF,
): void {
  let unanswered = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    unanswered = Buffer.concat([unanswered, chunk]);
    const end = unanswered.lastIndexOf(terminator) + terminator.length;
    if (end >= terminator.length) {
      socket.write(answer(unanswered.subarray(0, end)));
      unanswered = unanswered.subarray(end);
    }
    if (unanswered.length > 65536) socket.destroy();
    if (socket.writableLength > 0) {
      socket.pause();
      socket.write('', () => socket.resume());
    }
  });
}
