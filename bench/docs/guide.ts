/** What follows from the figures, and what does not. */
import { isLevel, leaders, MARGIN_IN_WORDS, type Place } from './contest.ts';
import { pollDecline } from './explanations.ts';
import type { Book } from './figures.ts';

/** What stands in any run, and what its own rounds say about it. */
export function limits(book: Book): string {
  const work = book.results.questions.find(({ id }) => id === 'work')?.title;
  return [
    '- **Loopback is no network.** There is no distance, no loss and no card. What a network adds, it adds to every model alike, and the differences between them weigh less.',
    "- **The load shares the machine.** The kernel does part of the receiver's work in the sender's call, and memory bandwidth and caches are common to all cores. Servers that use several cores compete with the generator for them.",
    `- **An echo is the least a server can do.** Whatever a real one does for each request is CPU time${work ? `, and moves its figures towards those of “${work}”` : ''}.`,
    `- **Ratios within ${MARGIN_IN_WORDS} of 1 are unproven**, and so is any comparison of absolute figures from two runs, or of two moments of one. The ratio within a round is what holds.`,
    '- **The window makes the bulk figure.** How data lumps together depends on how many lines are in flight; another window is another figure.',
    '- **With one client everybody waits in turn**, so how fast a core wakes up is part of the figure.',
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
    return all.length > 0 ? ` In this run ${all.join(', and ')}.` : '';
  };
  const echoes = { question: 'echo', cell: 'echo-50', measure: 'linesPerSecond' };
  const lines = { question: 'work', cell: 'work-1', measure: 'linesPerSecond' };
  const kept = pollDecline(book);
  return [
    '- **One client, or one at a time** (a device on a serial line, a test double): `blocking`. There is nothing simpler to get right, and nothing waits that matters.',
    `- **Many clients, short answers, few of them silent**: one loop is enough; \`poll-loop\` to see every system call, a model on \`node:net\` for anything that has to live with the rest of Node.${inThisRun(ahead(echoes, 'had the most echoes with 50 clients'))}`,
    `- **Many thousands of clients, most of them silent**: anything on epoll(7), that is on \`node:net\`. \`poll-loop\` needs no buffer for them, but pays for each at every turn.${kept ? ` ${kept}` : ''}`,
    `- **Lines that cost CPU**: more than one thread has to work. \`worker-threads\` keeps shared state in one process; \`cluster\` isolates what fails.${inThisRun(
      ahead(lines, 'answered the most lines of 1 ms'),
      ahead({ ...lines, measure: 'p50' }, 'let others wait the least'),
    )}`,
    `- **Answers that are composed of streams, with time and cancellation in them**: \`rxjs\`. What has to be added by hand is backpressure.${operators(book)}`,
    '- **Several cores, and clients that have nothing to do with each other**: `cluster`. It is the only one here that spreads the system calls themselves.',
  ].join('\n');
}

/** What is left of the throughput when operators stand between the bytes. */
function operators(book: Book): string {
  const ratio = book.ratio('echo', 'echo-50', 'linesPerSecond', 'rxjs', 'pipe');
  if (ratio === undefined) return '';
  return isLevel(ratio)
    ? ` In this run, with 50 clients, it was level with bare \`node:net\` (${ratio.toFixed(2)}).`
    : ` In this run, with 50 clients, it did ${ratio.toFixed(2)} of what bare \`node:net\` did.`;
}
