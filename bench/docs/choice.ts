/** The choice in ten lines: what is true of a model in any run, and the figures of this run. */
import { type Book, type Figure, written } from './figures.ts';
import { silentClient } from './sections/idle.ts';

/** One line for each kind of job. */
export function choice(book: Book): string {
  const echo = (id: string) => book.figure('echo', 'echo-50', 'cpuPerLine', id);
  const waiting = (id: string) => book.figure('wait', 'wait-50', 'linesPerSecond', id);
  const working = (id: string) => book.figure('work', 'work-1', 'linesPerSecond', id);
  const silent = (id: string) => silentClient(book, id);
  const of = (figures: (id: string) => Figure | undefined, ...ids: string[]) =>
    ids.flatMap((id) => {
      const figure = figures(id);
      return figure ? [`\`${id}\` ${written(figure)}`] : [];
    });
  const said = (before: string, all: readonly string[]) =>
    all.length > 0 ? ` ${before}: ${all.join(', ')}.` : '';
  return [
    '- **One client at a time** (a device, a test double): `blocking`, the simplest.',
    `- **Many clients that mostly wait** (chat, push, sensors): \`events\` or \`async-await\`; in C or Rust a loop as in \`epoll-loop\`.${said('A silent client took', of(silent, 'events', 'epoll-loop'))}`,
    `- **Many busy clients, short answers**: the same.${said('CPU time for an echo', of(echo, 'events', 'epoll-loop', 'io-uring'))}`,
    `- **Answers that wait** for a database: \`events\`, \`async-await\`, or a pool as large as the number of waits.${said('Lines answered', of(waiting, 'events', 'worker-threads', 'blocking'))}`,
    `- **Answers that cost CPU time, from shared state**: \`worker-threads\`, if cores are free.${said('Lines of 1 ms', of(working, 'worker-threads', 'events'))}`,
    `- **Several cores, clients that share nothing**: \`cluster\`.${said('Lines of 1 ms', of(working, 'cluster'))}`,
    `- **Some dozens of clients, isolated from each other**: \`process-per-connection\`.${said('For each client', of(silent, 'process-per-connection'))}`,
    `- **Long work in code that blocks, some hundreds of clients**: \`thread-per-connection\`.${said('For each client', of(silent, 'thread-per-connection'))}`,
    '- **A protocol of many steps**: `async-await`. (`coroutines` shows what is beneath it; `rxjs` composes streams.)',
    '- **System calls are the cost, and the kernel is your choice**: `io-uring`, in C, Rust or Zig.',
  ].join('\n');
}
