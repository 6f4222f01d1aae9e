/**
 * Which line of a model's source is the one that runs: while a thread sleeps in a system call, while it
 * computes a line. A model that is not here is drawn without.
 */
import type { SourceLine } from '../lesson.ts';

/** What the models on blocking calls share: each thread that serves a client waits in one of these lines. */
function inBlockingCalls(model: string): SourceLine[] {
  const who =
    {
      'process-per-connection': 'This client’s process',
      'thread-per-connection': 'This client’s thread',
    }[model] ?? 'The process';
  const others = model === 'blocking' ? ', and with it everybody else' : '; nobody else does';
  const file = 'blocking-net/echo.ts';
  return [
    {
      ...{ model, file, when: 'recv' },
      text: 'const received = client.receive(buffer); // waits',
      shows: `${who} sleeps in recv(2) until this client sends.`,
    },
    {
      ...{ model, file, when: 'send' },
      text: 'at += client.send(buffer, at, stop); // waits',
      shows: `${who} sleeps in send(2) until this client reads.`,
    },
    {
      ...{ model, file, when: 'computes' },
      text: 'burn(buffer.subarray(at, stop), options.work, speed);',
      shows: 'The line is paid for here.',
    },
    {
      ...{ model, file, when: 'nanosleep' },
      text: 'await client.sleep(options.wait); // waits',
      shows: `${who} sleeps in nanosleep(2): the line waits${others}.`,
    },
  ];
}

export const sources: readonly SourceLine[] = [
  {
    model: 'blocking',
    file: 'models/blocking/index.ts',
    text: 'const fd = await accept(); // waits',
    when: 'accept',
    shows: 'The process sleeps in accept(2) until a client comes.',
  },
  ...['blocking', 'process-per-connection', 'thread-per-connection'].flatMap(inBlockingCalls),
  ...['process-per-connection', 'thread-per-connection'].map((model) => ({
    model,
    file: 'blocking-net/acceptor.ts',
    text: 'table.poll(patience); // the only place that waits',
    when: 'poll' as const,
    shows: 'It sleeps in poll(2) until somebody comes who can be served, or a report.',
  })),
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
