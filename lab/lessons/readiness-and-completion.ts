import type { Lesson } from '../lesson.ts';
import type { Seen } from '../seen.ts';
import type { RingState, StateFact } from '../trace.ts';

const READINESS = ['poll-loop', 'epoll-loop'];
const MODELS = [...READINESS, 'io-uring'];

/** What the threads do when both clients have been accepted, and nobody has sent anything. */
function beforeTheFirstByte(seen: Seen): StateFact[] {
  return seen.statesAt((seen.sentAt('A') ?? 0) - 1);
}

function ringIn(states: readonly StateFact[]): RingState | undefined {
  return states.find(({ ring }) => ring)?.ring;
}

/** Whether a thread sleeps until one client sends, as in recv(2). */
function waitsForOne({ call, on }: StateFact): boolean {
  return call === 'recv' && on?.length === 1;
}

export const readinessAndCompletion: Lesson = {
  id: 'readiness-and-completion',
  title: 'Nobody has sent a byte. What has the server asked for?',
  story:
    'Anna and Ben connect, and are silent for a while. Then Anna sends a line. Later Ben sends more and more lines and reads none of the answers, until he resets the connection. Meanwhile Anna sends another line.',
  clients: { A: 'Anna', B: 'Ben' },
  args: [],
  shows: MODELS,
  script: [
    { at: 0, who: 'A', do: 'connect' },
    { at: 50, who: 'B', do: 'connect' },
    { at: 400, who: 'A', do: 'send', text: 'one\r\n' },
    { at: 700, who: 'B', do: 'pause' },
    { at: 750, who: 'B', do: 'flood', bytes: 200_000_000 },
    { at: 1250, who: 'A', do: 'send', text: 'two\r\n' },
    { at: 1500, who: 'B', do: 'reset', once: 'A' },
    { at: 1600, who: 'A', do: 'end', once: 'A' },
  ],
  duration: 1700,
  question: {
    asks: 'Both clients are silent. What has the server asked the kernel for?',
    choices: [
      '“Tell me when I can read from one of them.”',
      '“Read from each of them, and tell me when that is done.”',
      '“Read from this one”: a thread sleeps until it has been done',
    ],
    answer: (seen) => {
      const states = beforeTheFirstByte(seen);
      if (states.some(waitsForOne)) return 2;
      if (states.some(({ call }) => call === 'io_uring_enter')) {
        const ring = ringIn(states);
        return ring && ((ring.inFlight.recv ?? 0) > 0 ? 1 : 0);
      }
      const asks = ({ call }: StateFact) => ['poll', 'epoll_wait', 'select'].includes(call ?? '');
      return states.some(asks) ? 0 : undefined;
    },
  },
  number: {
    label: 'in flight before the first byte',
    unit: 'operations',
    of: (seen) => {
      const states = beforeTheFirstByte(seen);
      if (!states.some(({ call }) => call === 'io_uring_enter')) return 0;
      const ring = ringIn(states);
      if (!ring) return undefined;
      const { poll: _, ...ofClients } = ring.inFlight;
      return Object.values(ofClients).reduce((sum, n) => sum + n, 0);
    },
    none: 'unknown',
  },
  explanation: [
    {
      says: '`poll-loop` and `epoll-loop` ask for readiness: they sleep until they can read from Anna or Ben, or can accept a new client, and no byte has been read when they wake up.',
      holds: (of) =>
        of('poll-loop').waitedFor('poll', 'A', 'B', 'listener') &&
        of('epoll-loop').waitedFor('epoll_wait', 'A', 'B', 'listener'),
    },
    {
      says: 'The loop itself has to read, and to answer: for one echo it makes three system calls, epoll_wait(2) or poll(2), then recv(2), then send(2).',
    },
    {
      says: '`io-uring` asks for completion: a reception for each client is in flight before anybody has sent a byte, and io_uring_enter(2) returns when the bytes of one have been read.',
      holds: (of) => ringIn(beforeTheFirstByte(of('io-uring')))?.inFlight.recv === 2,
    },
    {
      says: 'To answer, it hands over two operations, “send this” and “then receive again”; it calls nothing but io_uring_enter(2), and one such call can carry the operations of many clients.',
      holds: (of) => {
        const seen = of('io-uring');
        const after = ringIn(seen.statesAt((seen.echoedAt('A') ?? 0) + 100));
        const before = ringIn(beforeTheFirstByte(seen));
        return after !== undefined && after.handedOver - (before?.handedOver ?? 0) === 2;
      },
    },
    {
      says: 'When Ben does not read, `epoll-loop` asks to be told of room for his echo, and then calls send(2) again; in `io-uring` the send itself is in flight until there is room; and neither keeps Anna waiting.',
      holds: (of) => {
        const later = (model: string) => of(model).statesAt((of(model).sentAt('A', 2) ?? 0) - 1);
        const asksForRoom = later('epoll-loop').some(({ on }) =>
          on?.some((target) => target.on === 'B' && target.for === 'output'),
        );
        const isAnswered = (model: string) =>
          (of(model).echoedAt('A', 2) ?? Infinity) < (of(model).at('B', 'reset') ?? 0);
        return (
          asksForRoom &&
          (ringIn(later('io-uring'))?.inFlight.send ?? 0) > 0 &&
          MODELS.every(isAnswered)
        );
      },
    },
  ],
  cures: 'io_uring is a faster epoll.',
  instead:
    'epoll says what can be done now, and io_uring what has been done. So a program over io_uring has to provide memory before the bytes come, and must leave alone what it sends until it has been sent.',
  source: [
    {
      model: 'epoll-loop',
      file: 'raw-net/connection.ts',
      text: 'const received = sys.recv(this.fd, receiveBuffer, options.maxLine, RECEIVE_SIZE);',
      shows: 'The kernel has said that there is something to read, and here it is read.',
    },
    {
      model: 'io-uring',
      file: 'models/io-uring/client.ts',
      text: 'this.shared.ring.recv(this.fd, this.shared.buffers.group, RECEIVE, this.fd);',
      shows: 'A reception begins, and there is nothing to read yet: the kernel has its buffers.',
    },
  ],
  exercise: {
    task: 'Start `npx tsx models/epoll-loop`, connect with `npx tsx client`, and look at the server with `strace -f -p PID` (it prints its PID) while you type a few lines. Then do the same with `npx tsx models/io-uring`. How many calls are there for a line, and where are its bytes?',
    answer:
      'In `epoll-loop` three for a line: epoll_wait, recvfrom with the bytes, sendto with the bytes. In `io-uring` two, both io_uring_enter: one returns when the line has been read, one when the echo has been sent. Neither shows a byte: the operations and their results pass through memory that the process shares with the kernel. With many clients at once `epoll-loop` still makes two calls for each of them, and `io-uring` two for all.',
  },
  next: 'a-thread-for-each',
};
