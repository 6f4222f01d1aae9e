/**
 * Why the figures are as they are. What follows from how a model is built is true in any run. What may differ
 * from run to run is taken from the figures, and left out if they are missing.
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

/** The paragraph above a question's table: what every server had to do. */
export function asked(question: string): string {
  return QUESTIONS[question] ?? '';
}

const QUESTIONS: Record<string, string> = {
  echo: `Each client sends a line of ${SHORT} bytes, waits until it has come back, and sends the next.`,
  bulk: `Lines of ${digits(LONG)} bytes, with a fixed number in flight: each time one comes back, the client sends another.`,
  idle: 'Clients send one line, get it back, and are silent from then on.',
  neighbours:
    'Polite clients send lines at a fixed rate, whatever comes back. Their wait for an echo is counted from the moment at which the line was due. The bad neighbours themselves are not timed.',
  work: 'Each line costs CPU time before it is answered (`--work`). More clients than there are cores always have lines in flight. Other clients send a line now and then, and their wait is timed.',
  'come-and-go':
    'Clients connect, send one line, get it back, and close. When one has closed, the next one connects.',
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
    'A client waits for each echo. So with one client, the time from the arrival of a line to its answer decides. `blocking` already waits in recv(2) when the line arrives, and then needs one send(2). `poll-loop` needs a poll(2) before each recv. The models on `node:net` make their kernel calls (epoll_wait, read, write) through libuv, and run a stream, its events and its callbacks for each chunk. That is JavaScript on the only thread, which could answer the next client instead.',
    compared(book, echo50, 'poll-loop', 'c-epoll', 'With 50 clients'),
    compared(book, echo50, 'cluster-1', 'pipe', 'With 50 clients'),
    'With more clients, one call of poll(2) or epoll_wait can report many sockets at once, and they share its cost.',
    'In `worker-threads` every line goes to another thread and back: two messages and two wake-ups. The lines that arrive in one turn of the loop travel together, so many clients share that cost.',
    compared(book, { ...echo50, cell: 'echo-1' }, 'worker-threads', 'pipe', 'With one client'),
    compared(book, { ...echo50, cell: 'echo-500' }, 'worker-threads', 'pipe', 'With 500 clients'),
  ],
  bulk: (book) => [
    'Here the servers differ in how many bytes one system call moves, and how often these are copied. `poll-loop` and `blocking` receive up to half a megabyte in one recv(2), into a buffer that is allocated once, and send from that same buffer. Node reads at most 64 KiB at a time, into memory that it allocates for every read. So it needs several reads and writes for a larger window, and the garbage collector has to free the buffers.',
    compared(book, bulk50, 'poll-loop', 'pipe', 'With 50 clients'),
    'The snippet turns bytes into text and back, and sends each line in a write of its own.',
    compared(book, bulk50, 'snippet', 'pipe', 'With 50 clients'),
    '`worker-threads` copies the input into a buffer that can be transferred to a thread. It reads on from that client only when the buffer has come back.',
    compared(book, bulk50, 'worker-threads', 'pipe', 'With 50 clients'),
  ],
  idle: (book) => [
    'A silent client of `poll-loop` is one entry of eight bytes in the poll table and a few small objects, but no buffer: the receive buffer belongs to all. On `node:net` it is a socket object with its two stream states, their listeners and a libuv handle. Each model adds objects of its own.',
    silentClients(book),
    '`worker-threads` and `cluster` also pay for each worker: a thread has a heap of its own, and a process is a whole Node.',
    "Every Node process has some threads that no model has started: libuv's pool, the helpers of the compiler and the garbage collector, and the loader that translates TypeScript. The kernel's memory for a connection is not in these figures.",
  ],
  neighbours: (book) => [
    'No server here waits in send(2): the sockets are non-blocking, the server keeps what the kernel does not take, and it does not read from a client with pending output. So a client that does not read, or never ends its line, soon stops waking the server. It costs memory, and in `poll-loop` an entry of the poll table. (The snippet does read on, and lets the answers pile up.)',
    worstNeighbour(book),
    'A flood is different: its socket is always ready, so each turn of the loop serves it as well as the others. The others then wait as long as the server needs to echo what it takes from the flood in one turn. `poll-loop` takes one recv(2), at most half a megabyte. libuv reads 64 KiB at a time, but makes up to 32 reads in a row, while each is full and nobody pauses the socket. That is two megabytes, if new lines come as fast as they are echoed.',
    flood(book),
    'The 99th percentile also contains the pauses of the scheduler and the garbage collector. `blocking` is not measured here, because its other clients would wait until the first one leaves.',
  ],
  work: (book) => [
    'While a thread computes, it serves nobody else. `poll-loop`, `rxjs` and a cluster of one process have one thread, so they answer one line after the other. A client with a single line waits for at least one line of every client in front of it: head-of-line blocking.',
    compared(book, work1, 'worker-threads', 'poll-loop', 'With 1 ms a line'),
    compared(book, work1, 'cluster', 'poll-loop', 'With 1 ms a line'),
    `No model can do more than the number of cores (${book.results.machine.cores} here, which the load generator shares) times what one core does alone.`,
    cpuOff(book),
    'In `worker-threads` the main thread stays free, and the next line goes to the first thread that becomes free. In `cluster` a client stays with the process that accepted it. It waits behind the other clients of that process, even while another process is idle.',
  ],
  'come-and-go': (book) => [
    'A new client costs the server an accept(2) and a close(2), and the kernel the set-up and teardown of a TCP connection. Node also constructs a socket with its streams and listeners, and collects them afterwards.',
    compared(book, clients, 'poll-loop', 'pipe', 'In this run'),
    'All processes of a cluster wait for the same listener. libuv does not ask epoll(7) to wake only one of them (EPOLLEXCLUSIVE). So a new client wakes every idle process; one accepts it, and the others find nothing (the thundering herd).',
    compared(book, clients, 'cluster', 'cluster-1', 'In this run'),
    "The generator chooses the clients' source ports itself, so the kernel's search for a free port is not in the figure.",
  ],
  growth: (book) => [
    'poll(2) gives the kernel the whole table at each call. The kernel checks every socket in it, silent or not, and then the loop looks through all entries. epoll(7), which libuv and the C server use, is told about each socket once, and reports only those that are ready.',
    pollDecline(book),
    'The busier the clients are, the more of them share one poll(2), and the less its cost matters.',
  ],
};

/** "With 50 clients, `a` did 0.77 of what `b` did." */
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
  const but = limits.length > 0 ? ` (the generator limited ${list(limits)})` : '';
  if (isLevel(ratio)) {
    return `${where}, \`${a}\` and \`${b}\` were level (${ratio.toFixed(2)})${but}.`;
  }
  const of = ratio > 1 ? `${digits(ratio)} times` : `${ratio.toFixed(2)} of`;
  return `${where}, \`${a}\` did ${of} what \`${b}\` did${but}.`;
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
  return `In this run, \`poll-loop\` took ${written(poll)}, and \`pipe\` ${written(pipe)}, for ${words}.`;
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
    ? `Beside 100 of either kind, no model's median wait was more than ${MARGIN_IN_WORDS} above its median wait without them.`
    : `Beside 100 of either kind, the median wait rose most in \`${worst.id}\`, to ${digits(worst.ratio)} times its median wait without them.`;
}

function flood(book: Book): string | undefined {
  const waits = book.ids
    .flatMap((id) => book.figure('neighbours', 'neighbours-flood', 'p50', id) ?? [])
    .filter(({ contestant }) => book.isModel(contestant))
    .toSorted((a, b) => a.median - b.median);
  const [shortest, longest] = [waits[0], waits.at(-1)];
  if (!shortest || !longest || waits.length < 2) return undefined;
  return `Beside a flood, the others waited least in \`${shortest.contestant}\` (median ${written(shortest)}), and longest in \`${longest.contestant}\` (${written(longest)}).`;
}

/** Models whose `--work` was badly calibrated, or that shared the execution units of a core. */
function cpuOff(book: Book): string | undefined {
  const off = book.ids.flatMap((id) => {
    const figure = book.figure('work', 'work-1', 'cpu', id);
    if (!figure || Math.abs(figure.median - 1) <= 0.1) return [];
    return [`${written(figure)} ms in \`${id}\``];
  });
  if (off.length === 0) return undefined;
  return `Read these figures with care: what should be 1 ms of CPU time took ${off.join(', ')}.`;
}

/** How much of their throughput `poll-loop` and `pipe` keep beside the most silent clients. */
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
