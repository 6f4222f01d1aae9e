/**
 * A TCP client: socket, connect, send, recv, close. TCP carries bytes, not messages: one send may come
 * back in several pieces, so the client receives until it has everything.
 *
 *     npx tsx sockets/examples/tcp-client.ts [port]     # while an echo server runs
 */
import * as sys from '../index.ts';

const server = sys.socket(sys.AF_INET);
sys.connect(server, { address: '127.0.0.1', port: Number(process.argv[2] ?? 12321) });

const message = Buffer.from('hello, sockets\r\n');
sys.send(server, message);

const answer = Buffer.alloc(message.length);
for (let received = 0; received < answer.length; ) {
  const count = sys.recv(server, answer, received);
  if (count === 0) throw new Error('the server closed before everything came back');
  received += count;
}
console.log(`came back: ${JSON.stringify(answer.toString())}`);
sys.close(server);
