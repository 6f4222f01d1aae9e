import type { Lesson } from '../lesson.ts';
import type { Seen } from '../seen.ts';

const FLOOD = 100_000_000;
function readsAt(seen: Seen): number {
  return seen.at('A', 'read') ?? 0;
}

/** The bytes that somebody had taken from Anna when she began to read. */
function takenUnread(seen: Seen): number {
  return seen.takenBy('A', readsAt(seen));
}

const MODELS = ['blocking', 'poll-loop', 'rxjs'];

export const whereAreTheBytes: Lesson = {
  id: 'where-are-the-bytes',
  title: 'Anna sends 100 MB and reads nothing. Where are the bytes?',
  story:
    'Anna stops reading and sends 100 MB of lines. The server sends the answers, and she reads none of them until 1.6 seconds. Ben sends a short line now and then.',
  clients: { A: 'Anna', B: 'Ben' },
  args: [],
  shows: MODELS,
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 50, who: 'B', do: 'connect' },
    { at: 100, who: 'B', do: 'send', text: 'one\r\n' },
    { at: 200, who: 'A', do: 'pause' },
    { at: 300, who: 'A', do: 'flood', bytes: FLOOD },
    { at: 800, who: 'B', do: 'send', text: 'two\r\n' },
    { at: 1200, who: 'B', do: 'send', text: 'three\r\n' },
    { at: 1600, who: 'A', do: 'read' },
    { at: 2500, who: 'A', do: 'end', once: 'A' },
    { at: 2800, who: 'B', do: 'end', once: 'B' },
  ],
  duration: 3000,
  question: {
    asks: 'How much does the server’s side take from Anna while she does not read?',
    choices: [
      'All 100 MB: the server keeps what it cannot send',
      'Some megabytes; then Anna must wait with the rest',
      'Nothing: the server sees that she does not read',
    ],
    answer: (seen) => {
      const taken = takenUnread(seen);
      return taken > 0.9 * FLOOD ? 0 : taken > 500_000 ? 1 : 2;
    },
  },
  number: {
    label: 'taken from Anna',
    unit: 'bytes',
    of: takenUnread,
    none: 'nothing',
    badFrom: 0.9 * FLOOD,
  },
  explanation: [
    {
      says: 'send(2) copies bytes into the kernel’s send buffer and returns; its return does not say that anybody has read them.',
      holds: (of) => MODELS.every((model) => takenUnread(of(model)) > 500_000),
    },
    {
      says: 'Anna’s own receive buffer fills first, then the server’s send buffer: then send(2) takes no more.',
      holds: (of) =>
        MODELS.every(
          (model) =>
            of(model).most('A', 'clientReceive') > 100_000 &&
            of(model).most('A', 'serverSend') > 500_000,
        ),
    },
    {
      says: 'Then a server should stop reading: its receive buffer fills, the window closes, and the rest stays with Anna.',
      holds: (of) => MODELS.every((model) => takenUnread(of(model)) < 0.9 * FLOOD),
    },
    {
      says: '`blocking` sleeps in send(2) for Anna, and nobody else is served; `poll-loop` asks poll(2) to tell it when she can take more, and serves Ben.',
      holds: (of) =>
        of('blocking').waitedFor('send', 'A') &&
        (of('poll-loop').echoedAt('B', 3) ?? Infinity) < readsAt(of('poll-loop')) &&
        (of('blocking').echoedAt('B') ?? Infinity) > readsAt(of('blocking')),
    },
    {
      says: 'When Anna reads at last, everything moves again, and not one byte was lost.',
      holds: (of) =>
        MODELS.every((model) => {
          const last = of(model)
            .eventsOf('A')
            .findLast((event) => event.did === 'progress');
          return last?.did === 'progress' && last.echoed > 0.9 * FLOOD;
        }),
    },
  ],
  cures: 'Written means delivered.',
  instead:
    'Written means that the kernel has taken the bytes. Only an answer from the other program says that it has read them.',
  source: [
    {
      model: 'poll-loop',
      file: 'raw-net/connection.ts',
      text: 'if (this.#pending) return sys.POLLOUT;',
      shows:
        'While output is pending the server asks for room only, so it does not read from this client.',
    },
  ],
  exercise: {
    task: 'Run `npx tsx client --never-read` against `npx tsx models/rxjs`, and look at `ss -tmin` meanwhile. Which of the four buffers hold how much? Then start `npx tsx exercise` and find the server that keeps everything.',
    answer:
      '`Send-Q` of the server’s socket and `Recv-Q` of the client’s hold the answers; `Recv-Q` of the server’s socket and `Send-Q` of the client’s hold the lines that nobody has read. The kernel’s limits are in `net.ipv4.tcp_rmem` and `tcp_wmem`.',
  },
  next: 'a-flood',
};
