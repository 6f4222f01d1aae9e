/** The choice in ten lines: what is true of a model in any run, and the figures of this run. */
import { type Book, type Figure, written } from './figures.ts';
import { silentClient } from './sections/idle.ts';

/** One line for each kind of job. */
export function choice(book: Book): string {
  const echo = (id: string) => book.figure('echo', 'echo-50', 'cpuPerLine', id);
  const waiting = (id: string) => book.figure('wait', 'wait-50', 'linesPerSecond', id);
  const working = (id: string) => book.figure('work', 'work-1', 'linesPerSecond', id);
  const coming = (id: string) => book.figure('come-and-go', 'come-and-go', 'clientsPerSecond', id);
  const lines = `Lines of 1 ms, ${book.results.machine.cores} cores`;
  const silent = (id: string) => silentClient(book, id);
  const of = (figures: (id: string) => Figure | undefined, ...ids: string[]) =>
    ids.flatMap((id) => {
      const figure = figures(id);
      const who = ids.length > 1 ? `\`${id}\` ` : '';
      return figure ? [`${who}${written(figure)}`] : [];
    });
  const said = (before: string, all: readonly string[]) =>
    all.length > 0 ? ` ${before}: ${all.join(', ')}.` : '';
  return [
    '- **One client at a time** (a device, a test double): `blocking`, the simplest.',
    `- **Many clients that mostly wait** (chat, push, a gateway): \`events\` or \`async-await\`; in C or Rust a loop as in \`epoll-loop\`.${said('A silent client took', of(silent, 'events', 'epoll-loop'))}`,
    `- **Many busy clients, short answers**: the same.${said('CPU time for an echo', of(echo, 'events', 'epoll-loop', 'io-uring'))}`,
    `- **Answers that wait** for a database or a back end: \`events\`, \`async-await\`, or a pool as large as the number of waits.${said('With 50 clients, 50 ms a line', of(waiting, 'events', 'worker-threads', 'blocking'))}`,
    `- **Answers that cost CPU time, clients that share nothing**: \`cluster\`, a process for each core.${said(lines, of(working, 'cluster', 'worker-threads', 'events'))}`,
    '- **The same, but one process must hold the state of all clients**: `worker-threads`.',
    `- **Some dozens of clients, of which one may crash or block**: \`process-per-connection\`.${said('For each client', of(silent, 'process-per-connection'))}${said('New clients', of(coming, 'process-per-connection'))}`,
    `- **Long work in code that blocks, some hundreds of clients**: \`thread-per-connection\`.${said('For each client', of(silent, 'thread-per-connection'))}`,
    '- **A protocol of many steps**: `async-await`. (`coroutines` shows what is beneath it; `rxjs` composes streams.)',
    '- **System calls are the cost, and the kernel is your choice**: `io-uring`, in C, Rust or Zig.',
  ].join('\n');
}
