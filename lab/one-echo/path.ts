/** The way of one line, step by step: what was recorded of it, and what each step means. Pure. */

/** A recording of one echo. */
export interface OneEcho {
  readonly model: string;
  readonly system: string;
  readonly node: string;
  /** ISO 8601, the day. */
  readonly recorded: string;
  /** The line that was sent, in hexadecimal. */
  readonly line: string;
  readonly steps: readonly Step[];
}

/** Something that happened. `t`: microseconds since the client called send(2), under strace. */
export type Step = { readonly t: number } & (
  | {
      /** A system call returned, or was still waiting at the end (`waits`). */
      readonly what: 'call';
      readonly who: 'client' | 'server';
      /** The thread, if the server has several: `main thread`, `thread 1`, `process 2`. */
      readonly task?: string;
      readonly call: string;
      /** On what: the connection, the listener or a table of them, an eventfd, an io_uring. */
      readonly on: 'connection' | 'table' | 'eventfd' | 'ring';
      /** As it was called, shortened: `recv(25, …, 524288)`. */
      readonly shown: string;
      /** What it returned; absent while it waits. */
      readonly result?: number;
      /** Bytes that were passed, in hexadecimal. */
      readonly bytes?: string;
    }
  | {
      /** A segment went over the wire. */
      readonly what: 'segment';
      readonly from: 'client' | 'server';
      /** TCP's flags, as tcpdump writes them: `P.`, `.`. */
      readonly flags: string;
      readonly length: number;
      /** The acknowledgement number, relative to the connection's beginning. */
      readonly ack: number;
    }
);

/** Where framing happens in a model: between two system calls, so that nobody can see it from outside. */
export interface Framing {
  readonly file: string;
  readonly number: number;
  readonly code: string;
}

/** A step with its meaning. */
export interface Explained {
  /** Microseconds; absent for a call that has not returned, and for what nobody could see. */
  readonly t?: number;
  readonly column: 'client' | 'wire' | 'server';
  /** Who, within the column. */
  readonly who: string;
  readonly what: string;
  readonly why: string;
  readonly bytes?: string;
}

/** All steps, explained, and the framing where it belongs. */
export function explained({ steps, line }: OneEcho, framing?: Framing): Explained[] {
  const rows: Explained[] = [];
  const size = line.length / 2;
  const last = steps.at(-1);
  let hasRead = false;
  for (const step of steps) {
    const isOver = step.what === 'segment' || step.result !== undefined;
    rows.push({
      ...(isOver ? { t: step.t } : {}),
      ...(step.what === 'segment' ? segment(step, rows) : call(step, size, step === last)),
    });
    if (step.what === 'call' && !hasRead && hasTheLine(step, size)) {
      hasRead = true;
      rows.push(framed(step.task ?? 'the process', line, framing));
    }
  }
  return rows;
}

/** Whether the server has the line when this call returns. A ring returns when the kernel has read. */
function hasTheLine(step: Call, size: number): boolean {
  if (step.who !== 'server' || step.result === undefined) return false;
  if (step.on === 'ring') return true;
  return step.on === 'connection' && isReceive(step.call) && step.result === size;
}

type Call = Extract<Step, { what: 'call' }>;

type Meaning = Omit<Explained, 't'>;

function segment(
  { from, flags, length }: Extract<Step, { what: 'segment' }>,
  before: readonly Explained[],
): Meaning {
  const to = from === 'client' ? 'server' : 'client';
  const who = `${from} → ${to}`;
  const isAnswer = before.some(({ column }) => column === 'wire');
  if (length > 0) {
    const push = flags.includes('P') ? ', PSH' : '';
    const carries = `The ${from}’s kernel sends the bytes in one TCP segment. PSH asks the other side to pass them on at once.`;
    const arrives = `They are now in the receive buffer of the ${to}’s socket, whatever the ${to} does.`;
    const back = isAnswer
      ? 'The same segment acknowledges the line: TCP waits a moment with an acknowledgement, in case there is something to send with it.'
      : '';
    return {
      ...{ column: 'wire', who },
      what: `segment, ${length} bytes${push}${isAnswer ? ', ACK' : ''}`,
      why: [carries, arrives, back].join(' ').trim(),
    };
  }
  const why =
    from === 'client'
      ? 'The client’s kernel acknowledges the echo. The server’s kernel forgets its copy of the bytes now. The server is not told.'
      : 'The server’s kernel acknowledges the line. That is the kernel’s word: no program has been asked.';
  return { column: 'wire', who, what: 'segment, 0 bytes, ACK', why };
}

function call(step: Call, size: number, isLast: boolean): Meaning {
  const who = step.who === 'client' ? 'client' : (step.task ?? 'the process');
  const what = `${step.shown}${step.result === undefined ? '' : ` = ${step.result}`}`;
  const bytes = step.bytes === undefined ? {} : { bytes: step.bytes };
  return { column: step.who, who, what, why: meaning(step, size, isLast), ...bytes };
}

/** Until when a call on it waits. */
const UNTIL: Readonly<Record<Call['on'], string>> = {
  connection: 'until this client sends',
  table: 'until any of its descriptors is ready',
  eventfd: 'until another thread wakes it',
  ring: 'until any of the operations in flight is done',
};

function meaning(step: Call, size: number, isLast: boolean): string {
  const { who, call: name, on, result } = step;
  if (result === undefined) {
    const whom = UNTIL[on];
    return `${isLast ? 'The echo is done: ' : ''}the thread sleeps in the kernel again, ${whom}.`;
  }
  if (on === 'table') {
    return `The thread wakes up: the kernel says how many descriptors are ready (${result}). It says nothing of how many bytes there are, nor whether a line is complete.`;
  }
  if (on === 'ring') {
    return result === 0
      ? 'The thread wakes up: a reception that was in flight is done. The kernel has copied the bytes into memory that the process had provided; how many they are, and where, it has written into the completion queue. No call shows either: it is known from the source of the model.'
      : `The process hands over what it has written into the submission queue: ${result} operations, to send the echo and then to receive again. The kernel takes the bytes from where they were received, copies them into the send buffer of the server’s socket, and the call returns because the sending is done. It shows no byte of that.`;
  }
  if (on === 'eventfd') {
    return name === 'write'
      ? 'One thread wakes another: it adds 1 to a counter in the kernel that the other one waits for. The line itself is passed in memory that both can see.'
      : 'The thread that was woken takes the counter back to 0, and then looks for its message in memory.';
  }
  if (who === 'client') {
    return isReceive(name)
      ? 'The client’s recv(2) returns: the echo is complete.'
      : 'send(2) copies the bytes into the send buffer of the client’s socket and returns. That says nothing of whether the server has them.';
  }
  if (isReceive(name)) {
    return result === size
      ? 'The bytes leave the kernel: they are copied from the receive buffer into the server’s memory.'
      : 'Nothing more is there.';
  }
  return 'The echo is copied into the send buffer of the server’s socket. The call returns at once, because there is room; it does not wait for the client.';
}

function framed(who: string, line: string, framing: Framing | undefined): Explained {
  const size = line.length / 2;
  return {
    ...{ column: 'server', who },
    what: framing ? framing.code : 'the program finds the line’s end',
    why: `No system call: the program searches what it has received for CR LF, and finds it in bytes ${size - 1} and ${size}. So the line is complete, and may go back.${framing ? ` (${framing.file}:${framing.number})` : ''}`,
    bytes: line,
  };
}

function isReceive(name: string): boolean {
  return /^(recv|recvfrom|recvmsg|read|readv)$/.test(name);
}

/** What each byte of a line is: its value, how people write it, and what it is for. */
export function bytesOf(
  hex: string,
): { readonly hex: string; readonly shown: string; readonly is: string }[] {
  const values = hex.match(/../g) ?? [];
  return values.map((value, i) => {
    const code = Number.parseInt(value, 16);
    const isEnd = code === 0x0a && values[i - 1] === '0d';
    const isBeginning = code === 0x0d && values[i + 1] === '0a';
    if (isBeginning)
      return { hex: value, shown: 'CR', is: 'carriage return: the first half of the line’s end' };
    if (isEnd)
      return {
        hex: value,
        shown: 'LF',
        is: 'line feed: with the CR before it, the end of the line',
      };
    const isText = code > 0x20 && code < 0x7f;
    const shown = isText ? String.fromCharCode(code) : `0x${value}`;
    return { hex: value, shown, is: isText ? `the letter ${shown}` : 'a byte' };
  });
}
