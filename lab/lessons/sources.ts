/**
 * Which line of a model's source is the one that runs: while a thread sleeps in a system call, while it
 * computes a line. A model that is not here is drawn without.
 */
import type { SourceLine } from '../lesson.ts';

export const sources: readonly SourceLine[] = [
  {
    model: 'blocking',
    file: 'models/blocking/index.ts',
    text: 'const fd = await acceptFrom(listening); // waits',
    when: 'accept',
    shows: 'The process sleeps in accept(2) until a client comes.',
  },
  {
    model: 'blocking',
    file: 'blocking-net/echo.ts',
    text: 'const received = client.receive(buffer); // waits',
    when: 'recv',
    shows: 'The process sleeps in recv(2) until this client sends.',
  },
  {
    model: 'blocking',
    file: 'blocking-net/echo.ts',
    text: 'at += client.send(buffer, at, stop); // waits',
    when: 'send',
    shows: 'The process sleeps in send(2) until this client reads.',
  },
  {
    model: 'blocking',
    file: 'blocking-net/echo.ts',
    text: 'burn(buffer.subarray(at, stop), options.work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'blocking',
    file: 'blocking-net/echo.ts',
    text: 'await client.sleep(options.wait); // waits',
    when: 'nanosleep',
    shows: 'The process sleeps in nanosleep(2): the line waits, and with it everybody else.',
  },
  {
    model: 'poll-loop',
    file: 'models/poll-loop/index.ts',
    text: 'const someoneReady = poll.poll(shared.timeout(lines.timeout)) > 0; // the only place that waits',
    when: 'poll',
    shows:
      'The process sleeps in poll(2) until any of its sockets is ready, or its timeout is over.',
  },
  {
    model: 'poll-loop',
    file: 'raw-net/connection.ts',
    text: 'if (options.work > 0) burn(line, options.work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'epoll-loop',
    file: 'models/epoll-loop/index.ts',
    text: 'const count = epoll.wait(shared.timeout(lines.timeout)); // the only place that waits',
    when: 'epoll_wait',
    shows:
      'The process sleeps in epoll_wait(2) until any of its sockets is ready, or its timeout is over.',
  },
  {
    model: 'epoll-loop',
    file: 'raw-net/connection.ts',
    text: 'if (options.work > 0) burn(line, options.work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'coroutines',
    file: 'models/coroutines/scheduler.ts',
    text: 'const ready = this.#epoll.wait(',
    when: 'epoll_wait',
    shows:
      'Each client’s program stands at a yield. The scheduler sleeps in epoll_wait(2) for all of them.',
  },
  {
    model: 'coroutines',
    file: 'models/coroutines/client.ts',
    text: 'if (options.work > 0) burn(line, options.work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'io-uring',
    file: 'models/io-uring/index.ts',
    text: 'ring.submitAndWait(rings.timeout(queue.length > 0 ? 0 : Infinity)); // the only place that waits',
    when: 'io_uring_enter',
    shows: 'The process sleeps in io_uring_enter(2) until an operation of any client is done.',
  },
  {
    model: 'io-uring',
    file: 'models/io-uring/client.ts',
    text: 'if (options.work > 0) burn(line, options.work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'events',
    file: 'models/events/index.ts',
    text: "client.socket.on('data', (chunk) => {",
    when: 'epoll_wait',
    shows: 'Node’s event loop sleeps in epoll_wait(2), and calls this when bytes have come.',
  },
  {
    model: 'events',
    file: 'models/events/index.ts',
    text: 'if (work > 0) burn(line, work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'async-await',
    file: 'models/async-await/index.ts',
    text: 'for await (const lines of client) {',
    when: 'epoll_wait',
    shows:
      'Each client’s function is put aside here. Node’s event loop sleeps in epoll_wait(2), and continues it when lines have come.',
  },
  {
    model: 'async-await',
    file: 'models/async-await/index.ts',
    text: 'if (work > 0) burn(line, work, speed);',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
  {
    model: 'worker-threads',
    file: 'models/worker-threads/index.ts',
    text: "client.socket.on('data', (chunk) => {",
    when: 'epoll_wait',
    shows: 'Node’s event loop sleeps in epoll_wait(2), and calls this when bytes have come.',
  },
  {
    model: 'worker-threads',
    file: 'models/worker-threads/answer.ts',
    text: 'if (work > 0) burn(line, work, speed);',
    when: 'computes',
    shows: 'A thread of the pool pays for the line here.',
  },
  {
    model: 'worker-threads',
    file: 'models/worker-threads/answer.ts',
    text: 'if (wait > 0) Atomics.wait(hasLeft, 0, 0, wait);',
    when: 'futex',
    shows: 'A thread of the pool sleeps until its line has waited long enough.',
  },
  {
    model: 'cluster',
    file: 'models/cluster/worker.ts',
    text: "socket.on('data', (chunk) => {",
    when: 'epoll_wait',
    shows: 'The worker’s event loop sleeps in epoll_wait(2), and calls this when bytes have come.',
  },
  {
    model: 'cluster',
    file: 'models/cluster/worker.ts',
    text: 'if (work > 0 && client.isOpen) burn(line, work, speed);',
    when: 'computes',
    shows: 'The worker pays for the line here.',
  },
  {
    model: 'rxjs',
    file: 'models/rxjs/index.ts',
    text: "return fromEvent(client.socket, 'data').pipe(",
    when: 'epoll_wait',
    shows:
      'Node’s event loop sleeps in epoll_wait(2), and pushes into this stream when bytes have come.',
  },
  {
    model: 'rxjs',
    file: 'models/rxjs/index.ts',
    text: 'tap(() => work > 0 && burn(line, work, speed)),',
    when: 'computes',
    shows: 'The line is paid for here.',
  },
];
