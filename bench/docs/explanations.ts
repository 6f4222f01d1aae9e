/**
 * Why the figures are as they are. What follows from how a model is built stands in any run; what a
 * run can decide either way is said by its figures, and left out where it has none.
 */
import { LONG, SHORT } from '../question.ts';
import { digits } from '../results.ts';
import { summaryPicks } from './charts.ts';
import { isLevel, MARGIN_IN_WORDS, type Place } from './contest.ts';
import { type Book, written } from './figures.ts';

type Explain = (book: Book) => (string | undefined)[];

/** The paragraph below a question's table. */
export function explanation(book: Book, question: string): string {
  const explain = explanations[question];
  return explain ? explain(book).filter(Boolean).join(' ') : '';
}

/** What was asked of every server, above a question's table. */
export function asked(question: string): string {
  return QUESTIONS[question] ?? '';
}

const QUESTIONS: Record<string, string> = {
  echo: `Each client sends a line of ${SHORT} bytes when the last one has come back.`,
  bulk: `Lines of ${digits(LONG)} bytes, and always many on their way: the next one goes when one has come back.`,
  idle: 'Clients send one line, get it back, and are silent from then on.',
  neighbours:
    'Polite clients send lines at a fixed rate, whatever comes back. Their wait for an echo counts from when the line was due; the bad neighbours themselves are not timed.',
  work: 'Each line costs CPU time before it is answered (`--work`). More clients than there are cores always have lines on their way; one more asks now and then, and its wait is timed.',
  'come-and-go':
    'Clients connect, send one line, get it back, and close; the next one comes at once.',
  growth:
    'Clients in ping-pong as in the first question, while others are connected and say nothing.',
};

const echo50 = { question: 'echo', cell: 'echo-50', measure: 'linesPerSecond' };
const bulk50 = { question: 'bulk', cell: 'bulk-50', measure: 'megabytesPerSecond' };
const work1 = { question: 'work', cell: 'work-1', measure: 'linesPerSecond' };
const clients = {
  question: 'come-and-go',
  cell: 'come-and-go',
  measure: 'clientsPerSecond',
};

const explanations: Record<string, Explain> = {
  echo: (book) => [
    'A client waits for each echo, so what counts with a single one is the way from the arrival of a line to its answer: `blocking` sits in recv(2) when it arrives, and needs that call and one send(2); `poll-loop` needs a poll(2) before each recv. The models on `node:net` make their kernel calls (epoll_wait, read, write) through libuv, and run a stream, its events and its callbacks for each chunk; that is JavaScript on the one thread that could otherwise answer the next client.',
    compared(book, echo50, 'poll-loop', 'c-epoll', 'With 50 clients'),
    compared(book, echo50, 'cluster-1', 'pipe', 'With 50 clients'),
    'With more clients one wait can report many sockets at once, and its cost is shared among them.',
    'In `worker-threads` every line crosses to another thread and back, two messages and two wake-ups; the lines that arrive in one turn of the loop travel together, so that many clients share that price.',
    compared(book, { ...echo50, cell: 'echo-1' }, 'worker-threads', 'pipe', 'With one client'),
    compared(book, { ...echo50, cell: 'echo-500' }, 'worker-threads', 'pipe', 'With 500'),
  ],
  bulk: (book) => [
    'What the servers differ in here is how many bytes one system call moves, and how often these are copied. `poll-loop` and `blocking` receive up to half a megabyte in one recv(2) into a buffer that is allocated once, and send from that same buffer. Node reads at most 64 KiB at a time, into memory that it allocates for every read; a larger window costs it several reads and writes, and the garbage collector has the buffers to clear away.',
    compared(book, bulk50, 'poll-loop', 'pipe', 'With 50 clients'),
    'The snippet turns bytes into text and back, and sends each line in a write of its own.',
    compared(book, bulk50, 'snippet', 'pipe', 'With 50 clients'),
    '`worker-threads` copies what comes into a buffer that can be handed over, and waits for it to come back before it reads on from that client.',
    compared(book, bulk50, 'worker-threads', 'pipe', 'With 50 clients'),
  ],
  idle: (book) => [
    'A silent client of `poll-loop` is one entry of eight bytes in the poll table and a few small objects, but no buffer: the receive buffer belongs to all. On `node:net` it is a socket object with its two stream states, their listeners and a libuv handle; each model adds its own objects to that.',
    silentClients(book),
    '`worker-threads` and `cluster` pay for each worker besides: a thread has a heap of its own, a process is a whole Node.',
    "The threads of a Node process that no model has started are libuv's pool, the helpers of the compiler and the garbage collector, and the loader that translates TypeScript. The kernel's own memory for a connection is not in these figures.",
  ],
  neighbours: (book) => [
    'Nobody waits in a send(2) here: the sockets are non-blocking, what the kernel does not take is kept, and a client with output pending is not read from. So a client that does not read, or never ends its line, soon wakes a server no more; it costs memory, and `poll-loop` an entry to ask about. (The snippet does read on, and lets the answers pile up.)',
    worstNeighbour(book),
    'A flood is different: it is always ready, and each turn of the loop serves it as well as everybody else. How long the others wait then is how much one turn takes from it, and what that costs to echo. `poll-loop` takes one recv(2), half a megabyte at most. libuv reads 64 KiB at a time, but goes on for up to 32 reads while each is full and nobody pauses the socket: two megabytes, when the next lines come as fast as they are echoed.',
    flood(book),
    'The 99th percentile also holds what the scheduler and the garbage collector do. `blocking` is not asked, because its other clients would wait until the first one leaves.',
  ],
  work: (book) => [
    'A millisecond of CPU is a millisecond in which that thread serves nobody. `poll-loop`, `rxjs` and a cluster of one process have one thread: they can answer one line after the other, and someone with one small question waits for at least one line of everyone in front of it.',
    compared(book, work1, 'worker-threads', 'poll-loop', 'With 1 ms a line'),
    compared(book, work1, 'cluster', 'poll-loop', 'With 1 ms a line'),
    `The bound is the number of cores (${book.results.machine.cores} here, which the load generator shares), times what one of them does when nobody competes for it.`,
    cpuOff(book),
    "In `worker-threads` the main thread stays free, and a new line takes the first thread that becomes so; in `cluster` a client stays with the process that accepted it, and waits behind that process's clients while another process may be idle.",
  ],
  'come-and-go': (book) => [
    'A client that comes costs an accept(2) and a close(2), the kernel a handshake and a farewell. To these Node adds the construction of a socket with its streams and listeners, and their collection afterwards.',
    compared(book, clients, 'poll-loop', 'pipe', 'In this run'),
    'The processes of a cluster all wait for the same listener. libuv does not ask epoll(7) to wake only one of them (EPOLLEXCLUSIVE), so a new client wakes each that is idle; one accepts it, and the others find nothing.',
    compared(book, clients, 'cluster', 'cluster-1', 'In this run'),
    "The generator counts the clients' source ports up itself, so that the kernel's search for a free one is not in the figure.",
  ],
  growth: (book) => [
    'poll(2) hands the kernel the whole table at each call, and the kernel asks every socket in it, silent or not; the loop then looks through the answers. epoll(7), which libuv and the C server use, is told once about each socket, and reports only those that are ready.',
    pollDecline(book),
    'The busier the clients are, the more of them share one poll(2), and the less its price shows.',
  ],
};

/** "With 50 clients `a` did 0.77 of what `b` did." */
function compared(
  book: Book,
  { question, cell, measure }: Place,
  a: string,
  b: string,
  where: string,
): string | undefined {
  const ratio = book.ratio(question, cell, measure, a, b);
  if (ratio === undefined) return undefined;
  const limits = [a, b].filter((id) => book.figure(question, cell, measure, id)?.limited);
  const but = limits.length > 0 ? ` (the generator was the limit of ${list(limits)})` : '';
  if (isLevel(ratio)) {
    return `${where} \`${a}\` and \`${b}\` were level (${ratio.toFixed(2)})${but}.`;
  }
  const of = ratio > 1 ? `${digits(ratio)} times` : `${ratio.toFixed(2)} of`;
  return `${where} \`${a}\` did ${of} what \`${b}\` did${but}.`;
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `\`${id}\``).join(' and ');
}

function silentClients(book: Book): string | undefined {
  const measure = summaryPicks(book).find(({ question }) => question === 'idle')?.measure ?? '';
  const [poll, pipe] = ['poll-loop', 'pipe'].map((id) => book.figure('idle', 'idle', measure, id));
  if (!poll || !pipe) return undefined;
  const { words } =
    book.results.questions
      .find(({ id }) => id === 'idle')
      ?.measures.find(({ name }) => name === measure) ?? {};
  return `In this run \`poll-loop\` paid ${written(poll)}, and \`pipe\` ${written(pipe)}, for ${words}.`;
}

function worstNeighbour(book: Book): string | undefined {
  const ratios = book.ids
    .filter((id) => book.isModel(id))
    .flatMap((id) =>
      ['neighbours-slow-100', 'neighbours-partial-100'].flatMap((cell) => {
        const ratio = book.quotient('neighbours', 'p50', cell, 'neighbours-alone', id);
        return ratio === undefined ? [] : [{ id, ratio }];
      }),
    );
  const worst = ratios.toSorted((a, b) => b.ratio - a.ratio)[0];
  if (!worst) return undefined;
  return isLevel(worst.ratio) || worst.ratio < 1
    ? `Beside 100 of either, no model's median wait was more than ${MARGIN_IN_WORDS} above what it was alone.`
    : `Beside 100 of either, the median wait rose most in \`${worst.id}\`, to ${digits(worst.ratio)} times what it was alone.`;
}

function flood(book: Book): string | undefined {
  const waits = book.ids
    .flatMap((id) => book.figure('neighbours', 'neighbours-flood', 'p50', id) ?? [])
    .filter(({ contestant }) => book.isModel(contestant))
    .toSorted((a, b) => a.median - b.median);
  const [shortest, longest] = [waits[0], waits.at(-1)];
  if (!shortest || !longest || waits.length < 2) return undefined;
  return `Of the models, \`${shortest.contestant}\` let the others wait least beside it, a median of ${written(shortest)}, and \`${longest.contestant}\` longest, ${written(longest)}.`;
}

/** Models that found out badly how fast the machine is, or shared the execution units of its cores. */
function cpuOff(book: Book): string | undefined {
  const off = book.ids.flatMap((id) => {
    const figure = book.figure('work', 'work-1', 'cpu', id);
    if (!figure || Math.abs(figure.median - 1) <= 0.1) return [];
    return [`${written(figure)} ms in \`${id}\``];
  });
  if (off.length === 0) return undefined;
  return `To be read with care: what was to be 1 ms of CPU took ${off.join(', ')}.`;
}

/** What is left to `poll-loop` and to `pipe` beside the most silent clients. */
export function pollDecline(book: Book): string | undefined {
  const last = book.cells('growth').at(-1);
  if (!last || last.id === 'growth-0') return undefined;
  const [poll, pipe] = ['poll-loop', 'pipe'].map((id) =>
    book.quotient('growth', 'linesPerSecond', last.id, 'growth-0', id),
  );
  if (poll === undefined || pipe === undefined) return undefined;
  return `${last.words[0]?.toUpperCase()}${last.words.slice(1)}, \`poll-loop\` kept ${percent(poll)} of its throughput, and \`pipe\` ${percent(pipe)}.`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
