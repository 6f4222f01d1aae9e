/**
 * One of several processes on one port: accepts, greets with one byte, and counts, until its standard input ends.
 *
 *     spread-worker.ts shared|exclusive|reuseport PORT     (shared listener: descriptor 3)
 */
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { EPOLLEXCLUSIVE, EPOLLIN, Epoll } from '../sockets/epoll.ts';
import * as sys from '../sockets/index.ts';

export interface Counts {
  readonly accepted: number;
  /** Of these, how many after SIGUSR2. */
  readonly late: number;
  /** Returns of epoll_wait because of the listener. */
  readonly wakeUps: number;
  /** First calls of accept after a wake-up that found nothing. */
  readonly inVain: number;
}

const [way = '', port = ''] = process.argv.slice(2);
const listener = way === 'reuseport' ? listenBeside(Number(port)) : 3;
sys.setNonBlocking(listener);
const epoll = new Epoll();
epoll.add(listener, EPOLLIN | (way === 'exclusive' ? EPOLLEXCLUSIVE : 0));
epoll.add(0, EPOLLIN);
epoll.add(sys.eventLoopDescriptor(), EPOLLIN);

let isLate = false;
process.on('SIGUSR2', () => {
  isLate = true;
});
const counts = { accepted: 0, late: 0, wakeUps: 0, inVain: 0 };
const byte = Buffer.from('!');
writeSync(1, 'ready\n');
await turn();
for (let isOver = false; !isOver; ) {
  const ready = epoll.wait(-1);
  for (let i = 0; i < ready; i++) {
    const fd = epoll.data(i);
    if (fd === 0) isOver = true;
    else if (fd === listener) acceptAll();
    else await sys.runEventLoop();
  }
}
writeSync(1, `${JSON.stringify(counts satisfies Counts)}\n`);
process.exit(0);

function listenBeside(at: number): number {
  const fd = sys.socket(sys.AF_INET);
  sys.setsockopt(fd, sys.SO_REUSEPORT, 1);
  sys.bind(fd, { address: '127.0.0.1', port: at });
  sys.listen(fd, 4096);
  return fd;
}

/** Until there is nothing left, as libuv and the models here do. */
function acceptAll(): void {
  if (!isLate) counts.wakeUps++;
  for (let count = 0; ; count++) {
    const client = sys.accept(listener);
    if (client < 0) {
      if (count === 0 && !isLate) counts.inVain++;
      return;
    }
    counts.accepted++;
    if (isLate) counts.late++;
    sys.send(client, byte);
  }
}
