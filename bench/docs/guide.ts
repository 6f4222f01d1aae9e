/** What follows from the figures, and what does not. */
import { isLevel, leaders, MARGIN_IN_WORDS, type Place } from './contest.ts';
import { pollDecline } from './explanations.ts';
import type { Book } from './figures.ts';

/** What is true in any run. */
export function limits(book: Book): string {
  const work = book.results.questions.find(({ id }) => id === 'work')?.title;
  return [
    '- **Loopback is no network.** There is no distance, no packet loss and no network card. A network adds the same time to every model, so the differences between them matter less.',
    "- **The load shares the machine.** The kernel does part of the receiver's work in the sender's call, and all cores share memory bandwidth and caches. Servers that use several cores compete with the generator for them.",
    `- **An echo is the least a server can do.** Whatever else a real server does for each request costs CPU time${work ? `, and moves its figures towards those of “${work}”` : ''}.`,
    `- **A ratio within ${MARGIN_IN_WORDS} of 1 proves nothing**, and neither does a comparison of absolute figures from two runs, or from two moments of one run. Only ratios within a round can be compared.`,
    '- **The window decides the bulk figure.** How many bytes one read finds depends on how many lines are in flight. Another window gives another figure.',
    '- **With one client, server and client wait for each other in turn**, so the time that a sleeping core needs to wake up is part of the figure.',
    '- **The C server is a yardstick, not a rival**: it has no options, no log and no orderly end.',
  ].join('\n');
}

/** Which model for which job. */
export function guide(book: Book): string {
  const ahead = (place: Place, did: string) => {
    const best = leaders(book, place).map((id) => `\`${id}\``);
    const together = best.length > 1 ? ` (within ${MARGIN_IN_WORDS} of each other)` : '';
    return best.length > 0 ? [`${best.join(' and ')}${together} ${did}`] : [];
  };
  const inThisRun = (...found: string[][]) => {
    const all = found.flat();
    return all.length > 0 ? ` In this run, ${all.join(', and ')}.` : '';
  };
  const echoes = { question: 'echo', cell: 'echo-50', measure: 'linesPerSecond' };
  const lines = { question: 'work', cell: 'work-1', measure: 'linesPerSecond' };
  const kept = pollDecline(book);
  return [
    '- **One client, or one at a time** (a device on a serial line, a test double): `blocking`. It is the simplest to get right, and no other client has to wait.',
    `- **Many clients, short answers, few of them silent**: one loop is enough. Take \`poll-loop\` to see every system call, and a model on \`node:net\` for anything that uses the rest of Node.${inThisRun(ahead(echoes, 'had the most echoes with 50 clients'))}`,
    `- **Many thousands of clients, most of them silent**: \`epoll-loop\`, or a model on \`node:net\`, which uses epoll(7), too. \`poll-loop\` needs no buffers for silent clients, but every turn of its loop costs time for each of them.${kept ? ` ${kept}` : ''}`,
    `- **Lines that cost CPU**: more than one thread has to work. In \`worker-threads\` shared state stays in one process. In \`cluster\` a crash takes down only the clients of one process.${inThisRun(
      ahead(lines, 'answered the most lines of 1 ms'),
      ahead({ ...lines, measure: 'p50' }, 'let others wait the least'),
    )}`,
    `- **Answers that are composed of streams, with delays and cancellation**: \`rxjs\`. Backpressure has to be added by hand.${operators(book)}`,
    '- **Several cores, and clients that have nothing to do with each other**: `cluster`. It is the only model here that spreads the system calls over the cores as well.',
  ].join('\n');
}

/** How the operators of rxjs affect the throughput. */
function operators(book: Book): string {
  const ratio = book.ratio('echo', 'echo-50', 'linesPerSecond', 'rxjs', 'pipe');
  if (ratio === undefined) return '';
  return isLevel(ratio)
    ? ` In this run, with 50 clients, it was level with bare \`node:net\` (${ratio.toFixed(2)}).`
    : ` In this run, with 50 clients, it did ${ratio.toFixed(2)} of what bare \`node:net\` did.`;
}
