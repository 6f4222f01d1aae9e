/**
 * Why the figures are as they are. What follows from how a model is built stands in any run; what a
 * run can decide either way is chosen from its figures, and every number comes from there.
 */
import { digits } from '../results.ts';
import { bestOf } from './charts.ts';
import { type Book, written } from './figures.ts';

type Explain = (book: Book) => (string | false | undefined)[];

/** The paragraph below a question's table. */
export function explanation(book: Book, question: string): string {
  const explain = explanations[question];
  return explain ? explain(book).filter(Boolean).join(' ') : '';
}

const explanations: Record<string, Explain> = {
  echo: (book) => [
    'One client waits for each echo, so what counts with a single one is the way from the arrival of a line to its answer: `blocking` sits in recv(2) when it arrives, and needs that call and one send(2); `poll-loop` needs a poll(2) before each recv.',
    'The models on `node:net` make the same kernel calls (epoll_wait, read, write) through libuv, and then run a stream, its events and its callbacks for each chunk; that is JavaScript on the one thread that could otherwise answer the next client.',
    compared(book, 'echo', 'echo-50', 'linesPerSecond', 'poll-loop', 'c-epoll', 'With 50 clients'),
    compared(book, 'echo', 'echo-50', 'linesPerSecond', 'cluster-1', 'pipe', 'There'),
    'With more clients one wait reports many sockets at once, and its cost is shared among them.',
    'In `worker-threads` every line crosses to another thread and back, two messages and two wake-ups; the lines that arrive in one turn of the loop travel together, so that many clients share that price.',
  ],
  bulk: (book) => [
    'What flows is bounded by the bytes that one system call moves and by how often they are copied. `poll-loop` and `blocking` receive up to half a megabyte in one recv(2) into a buffer that is allocated once, and send from that same buffer.',
    'Node reads at most 64 KiB at a time, into memory that it allocates for every read; a larger window costs it several reads and writes, and the garbage collector has the buffers to clear away.',
    compared(book, 'bulk', 'bulk-50', 'megabytesPerSecond', 'poll-loop', 'pipe', 'With 50 clients'),
    'The snippet turns bytes into text and back, and sends each line in a write of its own. `worker-threads` copies what comes into a buffer that can be handed over, and waits for it to come back before it reads on.',
    compared(book, 'bulk', 'bulk-50', 'megabytesPerSecond', 'snippet', 'pipe', 'There'),
  ],
  idle: (book) => [
    'A silent client of `poll-loop` is one entry of eight bytes in the poll table, one small object, and no buffer: the receive buffer belongs to all. On `node:net` it is a socket object with its two stream states, their listeners and a libuv handle.',
    silentClients(book),
    '`worker-threads` and `cluster` pay per worker instead: each thread has a heap of its own, each process a whole Node (pages that processes share are counted once in all).',
    "The threads beyond the workers are Node's own: libuv's pool, the garbage collector's helpers, and the loader that compiles TypeScript. The kernel's own memory for a connection, a few KiB on either end, is the same for all and not in these figures.",
  ],
  neighbours: (book) => [
    'Nobody waits in a send(2) here: the sockets are non-blocking, what the kernel does not take is kept, and a client with output pending is not read from. A client that does not read and one that never ends its line therefore cost a table entry and some memory, and hardly any time. (The snippet does read on, and lets the answers pile up.)',
    worstNeighbour(book),
    'A flood is different: it is always ready, and each turn of the loop serves it as well as everybody else. How long the others wait then is how much one turn takes from a flood, up to half a megabyte in `poll-loop`, 64 KiB on `node:net`, and what that costs to echo.',
    'What the scheduler and the garbage collector do shows in the 99th percentile first, and on a machine with other work it is mostly theirs; `blocking` is not asked, because its other clients would wait until the first one leaves.',
  ],
  work: (book) => [
    'A millisecond of CPU is a millisecond in which that thread serves nobody. `poll-loop`, `rxjs` and a cluster of one process have one thread: they can answer one line after the other, and someone with one small question waits for a line of everyone in front of it.',
    compared(
      book,
      'work',
      'work-1',
      'linesPerSecond',
      'worker-threads',
      'poll-loop',
      'With 1 ms a line',
    ),
    compared(book, 'work', 'work-1', 'linesPerSecond', 'cluster', 'poll-loop', 'With 1 ms a line'),
    `The bound is the number of cores (${book.results.machine.cores} here, which the load generator shares), times what one of them does when nobody competes for it.`,
    "In `worker-threads` the main thread stays free, and a new line takes the first thread that becomes so; in `cluster` a client stays with the process that accepted it, and waits behind that process's clients while another process may be idle.",
  ],
  'come-and-go': (book) => [
    'A client that comes costs an accept(2) and a close(2), the kernel a handshake of three segments and four to take leave. To these Node adds the construction of a socket with its streams and listeners, and their collection afterwards.',
    compared(
      book,
      'come-and-go',
      'come-and-go',
      'clientsPerSecond',
      'poll-loop',
      'pipe',
      'In this run',
    ),
    "A cluster's processes all wait for the same listener, and the kernel wakes one of them for a new client. `blocking` is asked by one client at a time.",
    'The clients use source ports that the generator counts up itself: left to the kernel, its search for a free port would be what is measured.',
  ],
  growth: (book) => [
    'poll(2) hands the kernel the whole table at each call, and the kernel asks every socket in it, silent or not; the loop then looks through the answers. epoll(7), which libuv and the C server use, is told once about each socket, and reports only those that are ready.',
    pollDecline(book),
    'Nothing else in `poll-loop` depends on how many are connected. What remains of its figure is the price of asking about everybody; the busier the clients are, the more of them share one poll, and the less it shows.',
  ],
};

/** "With 50 clients `a` did 0.97 of what `b` did." */
function compared(
  book: Book,
  question: string,
  cell: string,
  measure: string,
  a: string,
  b: string,
  where: string,
): string | undefined {
  const ratio = book.ratio(question, cell, measure, a, b);
  if (ratio === undefined) return undefined;
  const limits = [a, b].filter((id) => book.figure(question, cell, measure, id)?.limited);
  const but = limits.length > 0 ? ` (the generator was the limit of ${list(limits)})` : '';
  const of = ratio >= 1.15 ? `${digits(ratio)} times` : `${ratio.toFixed(2)} of`;
  return `${where} \`${a}\` did ${of} what \`${b}\` did${but}.`;
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `\`${id}\``).join(' and ');
}

function silentClients(book: Book): string | undefined {
  const measure = book.hasMeasure('idle', 'idle', 'each10000') ? 'each10000' : 'each1000';
  const [poll, pipe] = ['poll-loop', 'pipe'].map((id) => book.figure('idle', 'idle', measure, id));
  if (!poll || !pipe) return undefined;
  const many = measure === 'each10000' ? '10,000' : '1,000';
  return `Among ${many}, each cost \`poll-loop\` ${written(poll)} of its memory, and bare \`node:net\` ${written(pipe)}.`;
}

function worstNeighbour(book: Book): string | undefined {
  const measure = 'p50';
  const ratios = book.ids.flatMap((id) => {
    const alone = book.figure('neighbours', 'neighbours-alone', measure, id)?.median;
    return ['neighbours-slow-100', 'neighbours-partial-100'].flatMap((cell) => {
      const beside = book.figure('neighbours', cell, measure, id)?.median;
      return alone && beside && book.isModel(id) ? [{ id, ratio: beside / alone }] : [];
    });
  });
  const worst = ratios.toSorted((a, b) => b.ratio - a.ratio)[0];
  if (!worst) return undefined;
  return worst.ratio < 1.5
    ? `The median wait of no model was more than ${digits(worst.ratio)} times that alone, beside 100 of either.`
    : `The median wait rose most in \`${worst.id}\`, to ${digits(worst.ratio)} times that alone.`;
}

function pollDecline(book: Book): string | undefined {
  const last = book.cells('growth').at(-1);
  if (!last || last.id === 'growth-0') return undefined;
  const share = (id: string) => {
    const [alone, beside] = ['growth-0', last.id].map(
      (cell) => book.figure('growth', cell, 'linesPerSecond', id)?.median,
    );
    return alone && beside ? beside / alone : undefined;
  };
  const [poll, pipe] = [share('poll-loop'), share('pipe')];
  if (poll === undefined || pipe === undefined) return undefined;
  return `${last.words[0]?.toUpperCase()}${last.words.slice(1)}, \`poll-loop\` kept ${percent(poll)} of its throughput, and \`pipe\` ${percent(pipe)}.`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Which model was best at a question's figure, for the guide. */
export function winner(book: Book, question: string, cell: string, measure: string) {
  const figures = book.ids.flatMap((id) => book.figure(question, cell, measure, id) ?? []);
  return bestOf(book, figures);
}
