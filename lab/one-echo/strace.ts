/** Reads what strace -f -ttt -yy -xx and tcpdump -tt have written. */

/** A system call that has returned, or that never did. */
export interface Call {
  readonly pid: number;
  /** Seconds since the epoch: when it returned, or when it was called where it did not. */
  readonly at: number;
  readonly name: string;
  /** The arguments as strace writes them, of a call that was interrupted by others put together. */
  readonly args: string;
  /** Absent while it has not returned. */
  readonly result?: number;
}

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/;
const WHOLE = /^(\w+)\((.*)\) += (-?\d+)/;
const BEGUN = /^(\w+)\((.*?),?\s*<(?:unfinished|detached) \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)/;

/** All calls, in the order in which they returned; those that did not return last. */
export function callsOf(text: string): Call[] {
  const calls: Call[] = [];
  const pending = new Map<number, Call>();
  for (const line of text.split('\n')) {
    const [, id = '', time = '', rest = ''] = LINE.exec(line) ?? [];
    if (id === '') continue;
    const [pid, at] = [Number(id), Number(time)];
    const whole = WHOLE.exec(rest);
    const begun = BEGUN.exec(rest);
    const resumed = RESUMED.exec(rest);
    if (whole) {
      const [, name = '', args = '', result] = whole;
      calls.push({ pid, at, name, args, result: Number(result) });
    } else if (begun) {
      const [, name = '', args = ''] = begun;
      pending.set(pid, { pid, at, name, args });
    } else if (resumed) {
      const [, name = '', more = '', result] = resumed;
      const args = [pending.get(pid)?.args, more.trim()].filter((part) => part).join(', ');
      pending.delete(pid);
      calls.push({ pid, at, name, args, result: Number(result) });
    }
  }
  return [...calls.sort((a, b) => a.at - b.at), ...pending.values()];
}

/** The bytes of the first text in a call's arguments, in hexadecimal. */
export function bytesIn(args: string): string | undefined {
  const text = /"((?:\\x[0-9a-f]{2})*)"/.exec(args)?.[1];
  return text?.replaceAll('\\x', '');
}

/** A name that strace writes in hexadecimal escapes: `<\x61…>`. */
export function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

export interface Packet {
  readonly at: number;
  readonly fromPort: number;
  readonly flags: string;
  readonly length: number;
  readonly ack: number;
}

const PACKET =
  /^(\d+\.\d+) IP6? \S+\.(\d+) > \S+: Flags \[([^\]]*)\].*?(?:ack (\d+))?.*length (\d+)/;

/** The segments that tcpdump saw, in order. */
export function packetsOf(text: string): Packet[] {
  return text.split('\n').flatMap((line) => {
    const found = PACKET.exec(line);
    if (!found) return [];
    const [, at, from, flags = '', , length] = found;
    const ack = /\back (\d+)/.exec(line)?.[1] ?? 0;
    return [
      {
        ...{ at: Number(at), fromPort: Number(from), flags },
        ...{ length: Number(length), ack: Number(ack) },
      },
    ];
  });
}
