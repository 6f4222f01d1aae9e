/**
 * io-uring, the model and nothing else: a proactor. The loop does not ask who is ready; it is told what has
 * been done. It listens on IPv4 only; index.ts listens on ::1 as well.
 */
import * as sys from '../../sockets/index.ts';
import { IoUring } from '../../sockets/io-uring.ts';
import { addressOf } from '../../sockets/libc.ts';
import { ProvidedBuffers } from '../../sockets/provided-buffers.ts';

const [ACCEPT, RECEIVE, SEND] = [1, 2, 3];
const ring = new IoUring();
const buffers = new ProvidedBuffers(ring, 0, 65536, 16);

const at = { address: '127.0.0.1', port: Number(process.env.PORT ?? 12321) };
const listener = sys.openListener(at);
ring.accept(listener.fd, ACCEPT, 0); // one operation for all clients
console.log(`io-uring core listening on 127.0.0.1:${listener.at.port} (pid ${process.pid})`);

/** How many operations are in flight for a client; the bytes that the kernel sends, kept for it; an unfinished line. */
type Client = { inFlight: number; sending: Buffer; unfinished: Buffer };
const clients = new Map<number, Client>(); // by their descriptors

for (;;) {
  ring.submitAndWait(-1); // hands over all that was queued, and is the only place that waits
  while (ring.next()) {
    if (ring.kind === ACCEPT) admit(ring.result);
    else done(ring.data, clients.get(ring.data) as Client);
  }
}

function admit(fd: number): void {
  if (fd < 0) return; // that client has left already
  const client = { inFlight: 0, sending: Buffer.alloc(0), unfinished: Buffer.alloc(0) };
  clients.set(fd, client);
  receive(fd, client);
}

/** Begins a reception. The kernel takes a buffer for it when there are bytes. */
function receive(fd: number, client: Client): void {
  ring.recv(fd, buffers.group, RECEIVE, fd);
  client.inFlight++;
}

/** One of a client's operations is done: the ring's current completion says which, and how. */
function done(fd: number, client: Client): void {
  client.inFlight--;
  if (ring.kind === RECEIVE && ring.result > 0) answer(fd, client);
  else if (buffers.growAfter(ring.result)) receive(fd, client); // no buffer was free: now some are
  if (client.inFlight === 0) sys.close(fd); // end of input, or an error
}

/** Sends the complete lines, and receives again when they are sent: this is the backpressure. */
function answer(fd: number, client: Client): void {
  const input = Buffer.concat([client.unfinished, buffers.bytes(ring.bufferId, ring.result)]);
  buffers.release(ring.bufferId);
  const end = input.includes('\r\n') ? input.lastIndexOf('\r\n') + 2 : 0;
  client.sending = input.subarray(0, end);
  client.unfinished = input.subarray(end);
  ring.makeRoom(2); // the send and the reception that waits for it have to be handed over together
  if (end > 0) {
    ring.sendLinked(fd, addressOf(client.sending), end, SEND, fd);
    client.inFlight++;
  }
  receive(fd, client);
}
