/**
 * Why a check has failed, as far as what was seen tells: the bytes that came, how the connection ended, what
 * a dying server said. Where that points nowhere, no cause is named.
 */
import type { Verdict } from './run.ts';

/** What may be wrong, in one line for whoever wrote the server. */
export const CAUSES = {
  'dies-of-a-reset':
    'is the error of one connection (ECONNRESET) an error that ends the server? Close that connection, and go on',
  'dies-of-a-write':
    'does sending to a client that is gone end the server? Ignore SIGPIPE, and close the connection on EPIPE',
  greets: 'does it send a greeting, a prompt or a label with the line?',
  'answers-lf': 'does it strip CR LF from the line, and put back LF alone?',
  'strips-the-end': 'does it strip CR LF from the line, and send the rest?',
  'doubles-the-end': 'does it add a line end to a line that still has its own?',
  'echoes-reads': 'does it echo whatever recv returned, complete or not?',
  'ends-at-lf': 'does it read lines with a function that ends them at LF?',
  'ends-at-cr': 'does it take a CR for the end of a line, whatever follows it?',
  'misses-a-split-end': 'does it look for CR LF only in what one recv returned?',
  'loses-the-rest':
    'are the bytes after the last CR LF of a recv thrown away, or lost in a buffer that is begun anew?',
  'loses-lines':
    'is only a part of the lines that one recv returned answered: all but the last, or the first?',
  'falls-silent':
    'it had answered many lines before: is something counted, or a buffer or a queue filled and never emptied?',
  trims: 'does it trim lines? Blanks and tabs are part of them',
  decodes: 'does it decode what it receives as UTF-8? Echo bytes, not strings',
  'changes-a-byte':
    'one byte among right ones was changed: is a buffer written to before it has been sent, or too short?',
  'another-line':
    'another line came than was due: are lines answered out of order, or is output dropped when send takes less than it was given?',
  'drops-output': 'is output dropped when send takes less than it was given, or would block?',
  'skips-empty-lines': 'does it take a CR LF with nothing before it for no line at all?',
  'misses-an-end':
    'does its search for CR LF forget a CR when another byte follows it, or look at one segment only?',
  'waits-for-a-line': "does it wait for one client's CR LF while others wait for it?",
  leaks: 'does each connection leave something behind: a descriptor, a thread, a buffer?',
  'ends-partial-lines':
    'is there a time-out for an unfinished line, or has another client wiped it?',
  'one-at-a-time': 'does it serve one client to its end before it serves the next?',
  'turns-away': 'does it close the connection of whoever comes while another client is there?',
  'misses-the-end-of-input':
    'does it not notice the end of input (recv returns 0), or not close its side then?',
  'mixes-clients':
    'these bytes were sent by another client: do clients share a buffer, or does an answer go to the wrong socket?',
} as const;

export type Cause = keyof typeof CAUSES;

/** The check in which much is pending, and then read. */
const RESUMES = 'slow-readers/resumes-and-gets-everything';

/** So many bytes, and the kernel had its buffers full. */
const MUCH = 256 * 1024;

/** The check that tells whether two clients are served at all. */
const SECOND = 'concurrency/second-client-while-first-idles';

/** What is told beside a failure. */
export interface Explanation {
  /** One of {@link CAUSES}; undefined: the check's own guess, or none. */
  readonly cause: Cause | undefined;
  readonly text: string | undefined;
  /** The check that failed for the same reason, and was told first. */
  readonly follows: string | undefined;
}

/** What is known about how a check failed. */
type Kind =
  | 'died'
  | 'refused'
  | 'early'
  | 'changed'
  | 'short'
  | 'timeout'
  | 'fin'
  | 'open'
  | 'unserved'
  | 'reset'
  | 'own';

/** Explains all failures of one server: what follows from one that was explained before, says so. */
export function explain(verdicts: readonly Verdict[]): ReadonlyMap<string, Explanation> {
  const failed = verdicts.filter(({ outcome }) => outcome === 'fail');
  const first = new Map<Cause, string>();
  return new Map(
    failed.map((verdict): [string, Explanation] => {
      const { check } = verdict;
      const seen = causeBySight(verdict);
      const isSure = seen && !COULD_FOLLOW.has(seen);
      const [other, root] = isSure ? [] : causeByOthers(verdict, failed);
      const cause = other ?? seen;
      if (!cause) {
        const text = isOwn(verdict) ? check.cause : undefined;
        return [check.id, { cause, text, follows: undefined }];
      }
      const follows = root ?? first.get(cause);
      if (!follows) first.set(cause, check.id);
      const text = follows ? `probably the same as in ${follows}: ${CAUSES[cause]}` : CAUSES[cause];
      return [check.id, { cause, text, follows }];
    }),
  );
}

/** The cause that this failure shows by itself. */
function causeBySight(verdict: Verdict): Cause | undefined {
  const { check, message } = verdict;
  const kind = kindOf(verdict);
  if (message.startsWith('an answer went to the wrong client')) return 'mixes-clients';
  if (check.id === 'bystanders/partial-lines' && kind !== 'died') return 'ends-partial-lines';
  if (check.id === 'leaks/after-lines' && kind === 'own') return 'leaks';
  switch (kind) {
    case 'died':
      if (/SIGPIPE|EPIPE|broken ?pipe/i.test(message)) return 'dies-of-a-write';
      if (/ECONNRESET|connection ?(was )?reset|reset by peer/i.test(message))
        return 'dies-of-a-reset';
      return undefined;
    case 'open':
      return 'misses-the-end-of-input';
    case 'early':
      return causeOfEarly(verdict);
    case 'changed':
    case 'short':
      return causeOfBytes(verdict);
    case 'timeout':
      return causeOfSilence(verdict);
    case 'fin':
    case 'reset':
      return verdict.check.id === SECOND ? 'turns-away' : undefined;
    default:
      return undefined;
  }
}

/** Something came before the line was complete. */
function causeOfEarly({ check: { id }, message }: Verdict): Cause | undefined {
  const came = /"([^"]*)" came/.exec(message)?.[1] ?? '';
  if (id === 'framing/partial-line-is-held') return 'echoes-reads';
  if (id === 'framing/lone-lf-is-a-byte' && came.endsWith('\\n')) return 'ends-at-lf';
  if (came.endsWith('\\r')) return 'ends-at-cr';
  return undefined;
}

function causeOfBytes(verdict: Verdict): Cause | undefined {
  const { check, difference, transcript } = verdict;
  if (!difference) return undefined;
  const expected = bytesOf(difference.expected);
  const got = bytesOf(difference.got);
  if (got.includes('\\xef\\xbf\\xbd')) return 'decodes';
  if (check.id === 'framing/one-line') return causeInFirstLine(expected, got);
  if (SENDS_PARTS.has(check.id) && isWithoutBeginning(got, expected)) return 'loses-the-rest';
  const isPart = got !== '' && expected.startsWith(got) && got.endsWith('\\r\\n');
  if (isPart && SENDS_SEVERAL.has(check.id)) return 'loses-lines';
  if (/\\r$/.test(got) && expected === `${got}\\n`) return 'ends-at-cr';
  const blank = /^(\s|\\t)+|(\s|\\t)+(?=\\r\\n$)/g;
  if (got !== expected && got === expected.replace(blank, '')) return 'trims';
  if (isWithoutBlanks(got, expected)) return 'trims';
  // Numbered blocks differ in one digit from line to line: there it is another line.
  if (isOneByteChanged(expected, got) && !BLOCK_LINE.test(expected)) return 'changes-a-byte';
  if (isOfAnother(got, expected, transcript)) return 'mixes-clients';
  const byLabel = causeOfLabels(expected, got);
  // As long as the kernel took everything, all was right: what is missing was pending.
  if (byLabel === 'another-line' && check.id === RESUMES && difference.offset > MUCH)
    return 'drops-output';
  if (byLabel) return byLabel;
  return isOneByteChanged(expected, got) ? 'changes-a-byte' : undefined;
}

function causeInFirstLine(expected: string, got: string): Cause | undefined {
  const body = expected.replace(/\\r\\n$/, '');
  if (got === `${body}\\n`) return 'answers-lf';
  if (got === body) return 'strips-the-end';
  if (got.startsWith(expected)) return 'doubles-the-end';
  return got !== '' && got[0] !== body[0] ? 'greets' : undefined;
}

/** Nothing came, or not enough. */
function causeOfSilence({ check: { id }, transcript, message }: Verdict): Cause | undefined {
  if (!message.includes('nothing had come')) return undefined;
  const answers = transcript.split('\n').filter((line) => / receives \d/.test(line)).length;
  if (id === 'framing/many-lines-in-order' && answers >= 10) return 'falls-silent';
  if (id === RESUMES && message.includes('never came')) return 'drops-output';
  if (id === 'framing/empty-line' && answers === 0) return 'skips-empty-lines';
  if (id === SECOND) return 'one-at-a-time';
  if (id === 'lines/every-order-of-cr-and-lf') return 'misses-an-end';
  if (/^concurrency\/beside-(one|any)-partial/.test(id)) return 'waits-for-a-line';
  return id === 'framing/crlf-split-across-segments' ? 'misses-a-split-end' : undefined;
}

/** Defects that show in many checks, and the check that shows them for what they are. */
const ROOTS: readonly {
  readonly check: string;
  readonly cause: Cause;
  readonly kinds: readonly Kind[];
  readonly showsIn: RegExp;
}[] = [
  {
    check: 'framing/partial-line-is-held',
    cause: 'echoes-reads',
    kinds: ['early', 'changed', 'short', 'open'],
    showsIn:
      /^(framing\/(crlf-split|lone-)|lines\/every-order|limits\/(line-too|endless)|half-close\/(tail|again)|concurrency\/(long-|nothing))/,
  },
  {
    check: 'framing/rest-of-a-segment-is-kept',
    cause: 'loses-the-rest',
    kinds: ['changed', 'short', 'timeout'],
    showsIn: /./,
  },
  {
    check: 'framing/many-lines-in-one-segment',
    cause: 'loses-lines',
    kinds: ['changed', 'short', 'timeout'],
    showsIn: /./,
  },
  {
    check: 'framing/many-lines-in-order',
    cause: 'falls-silent',
    kinds: ['timeout', 'short', 'own'],
    showsIn: /^(framing|lines|streams|slow-readers\/resumes|resets\/leave)/,
  },
  {
    check: 'framing/crlf-split-across-segments',
    cause: 'misses-a-split-end',
    kinds: ['timeout', 'short'],
    showsIn: /^(framing|lines|concurrency\/(beside-any|long)|bystanders\/partial)/,
  },
  {
    check: 'framing/empty-line',
    cause: 'skips-empty-lines',
    kinds: ['timeout', 'changed', 'short'],
    showsIn: /^(framing|lines|concurrency|streams)/,
  },
  ...['concurrency/beside-one-partial-line', 'concurrency/hundred-interleaved'].map((check) => ({
    check,
    cause: 'mixes-clients' as const,
    kinds: ['changed', 'short'] as const,
    showsIn: /./,
  })),
  ...['lines/short-after-long', 'lines/two-hundred-thousand'].map((check) => ({
    check,
    cause: 'another-line' as const,
    kinds: ['changed', 'short'] as const,
    showsIn: /^(framing\/random|lines|streams)/,
  })),
  {
    check: RESUMES,
    cause: 'drops-output',
    kinds: ['changed', 'short', 'timeout', 'own'],
    showsIn: /^(half-close\/(output|again)|streams\/(narrow|side)|resets\/leave)/,
  },
  {
    check: 'lines/every-order-of-cr-and-lf',
    cause: 'misses-an-end',
    kinds: ['timeout', 'short', 'changed'],
    showsIn: /^(framing\/random|lines|streams)/,
  },
  ...['one', 'any'].map((which) => ({
    check: `concurrency/beside-${which}-partial-line`,
    cause: 'waits-for-a-line' as const,
    kinds: ['timeout', 'unserved', 'changed'] as const,
    showsIn: /^(concurrency\/(beside|long)|streams)/,
  })),
  ...['half-close/nothing-sent', 'half-close/answers-after-fin'].map((check) => ({
    check,
    cause: 'misses-the-end-of-input' as const,
    kinds: ['own', 'open'] as const,
    showsIn: /^(leaks|half-close|slow-readers\/resumes)|descriptors$/,
  })),
  {
    check: 'leaks/after-lines',
    cause: 'leaks',
    kinds: ['own'],
    showsIn: /^leaks|descriptors$/,
  },
  {
    check: 'bystanders/partial-lines',
    cause: 'ends-partial-lines',
    kinds: ['timeout', 'fin', 'reset', 'short', 'changed', 'own'],
    showsIn: /^bystanders\/pending/,
  },
  {
    check: SECOND,
    cause: 'one-at-a-time',
    kinds: ['timeout', 'unserved'],
    showsIn: /./,
  },
  {
    check: SECOND,
    cause: 'turns-away',
    kinds: ['fin', 'reset', 'unserved'],
    showsIn: /./,
  },
  {
    check: 'framing/lone-cr-is-a-byte',
    cause: 'ends-at-cr',
    kinds: ['early', 'changed', 'short'],
    showsIn:
      /^(framing|lines|half-close|concurrency\/(beside-any|long|nothing)|bystanders\/partial)/,
  },
];

/** What other defects look like, too. */
const COULD_FOLLOW: ReadonlySet<Cause> = new Set([
  'ends-at-lf',
  'ends-at-cr',
  'misses-a-split-end',
  'changes-a-byte',
  'another-line',
  'drops-output',
  'misses-an-end',
  'waits-for-a-line',
  'ends-partial-lines',
  'leaks',
]);

/** A cause that another failure shows better, and that check's id. */
function causeByOthers(
  verdict: Verdict,
  failed: readonly Verdict[],
): readonly [Cause, string] | readonly [] {
  const { id } = verdict.check;
  const kind = kindOf(verdict);
  for (const { check, cause, kinds, showsIn } of ROOTS) {
    if (id === check || !kinds.includes(kind) || !showsIn.test(id)) continue;
    const root = failed.find((one) => one.check.id === check);
    if (root && causeBySight(root) === cause) return [cause, check];
  }
  return [];
}

/** Checks that send a part of a line behind another line. */
const SENDS_PARTS: ReadonlySet<string> = new Set([
  'framing/partial-line-is-held',
  'framing/rest-of-a-segment-is-kept',
  'framing/lone-lf-is-a-byte',
  'framing/lone-cr-is-a-byte',
  'framing/multibyte-split-across-segments',
]);

/** Checks that send several short lines at once. */
const SENDS_SEVERAL: ReadonlySet<string> = new Set([
  'framing/empty-line',
  'framing/many-lines-in-one-segment',
]);

/** Whether the first bytes are missing, and the others are there. */
function isWithoutBeginning(got: string, expected: string): boolean {
  if (got.startsWith('…') || got.length < 3) return false;
  const whole = expected.replace(/…$/, '');
  for (let at = 1; at <= whole.length - 3; at++) {
    const rest = whole.slice(at);
    if (whole === expected ? got === rest : got.startsWith(rest)) return true;
  }
  return false;
}

/** Whether only blanks beside line ends are missing, as far as both can be seen. */
function isWithoutBlanks(got: string, expected: string): boolean {
  const beside = /(?<=\\r\\n)(\s|\\t)+|(\s|\\t)+(?=\\r\\n)/g;
  const [due, came] = [expected, got].map((text) => text.replace(/…$/, ''));
  if (!due || !came) return false;
  const trimmed = due.replace(beside, '');
  return trimmed !== due && trimmed.length > 2 && came.startsWith(trimmed);
}

/** A line of a block. */
const BLOCK_LINE = /(\d{7})\.{3}/;

/** The suite numbers its lines, `0000012...` and `stream.12:...`: which one came? */
function causeOfLabels(expected: string, got: string): Cause | undefined {
  const [plain, other] = [expected, got].map((text) => BLOCK_LINE.exec(text)?.[1]);
  if (plain && other && plain !== other) return 'another-line';
  const [due, came] = [expected, got].map((text) => /(\d+)\.(\d+):/.exec(text));
  if (!due || !came || due[0] === came[0]) return undefined;
  return due[1] === came[1] ? 'another-line' : 'mixes-clients';
}

/** Whether just one byte differs, and those behind it do not. */
function isOneByteChanged(expected: string, got: string): boolean {
  const [a, b] = [tokens(expected), tokens(got)];
  if (a.length !== b.length || a.length < 4 || a.at(-2) !== b.at(-2)) return false;
  return a.filter((token, i) => token !== b[i]).length === 1;
}

function tokens(text: string): string[] {
  return text.match(/\\x[0-9a-f]{2}|\\.|…|[^\\]/g) ?? [];
}

/** Whether what came was sent by another client of the same check, and not by this one. */
function isOfAnother(got: string, expected: string, transcript: string): boolean {
  const piece = got.replace(/^…|…$/g, '').slice(0, 12);
  if (piece.length < 4 || expected.includes(piece)) return false;
  const sent = /ms {2}(.*?) sends [\d,]+ bytes?: (.*)$/;
  const receiver = /ms {2}(.*?) receives /;
  const lines = transcript.split('\n');
  const last = lines.findLast((line) => receiver.test(line));
  const name = last && receiver.exec(last)?.[1];
  return lines.some((line) => {
    const [, who, what = ''] = sent.exec(line) ?? [];
    return who !== undefined && who !== name && what.startsWith(piece);
  });
}

/** What stands between the quotation marks of a difference: bytes, escaped. */
function bytesOf(quoted: string): string {
  return quoted.replace(/^"|"$/g, '');
}

function kindOf({ message, difference, died }: Verdict): Kind {
  if (died) return 'died';
  if (message.includes('ECONNREFUSED')) return 'refused';
  if (/, but "[^"]*" came/.test(message)) return 'early';
  if (difference) {
    const [expected, got] = [bytesOf(difference.expected), bytesOf(difference.got)];
    return got === '' || expected.replace(/…$/, '').startsWith(got) ? 'short' : 'changed';
  }
  if (message.includes('the answer differs at byte')) return 'changed';
  if (message.includes('does not end the connection')) return 'open';
  if (message.includes('a new client is not served')) return 'unserved';
  if (message.includes('the server closed the connection (FIN)')) return 'fin';
  if (message.includes('the server reset the connection (RST)')) return 'reset';
  return /: not within \d+ ms; /.test(message) ? 'timeout' : 'own';
}

/** Whether a check's own guess fits what was seen. */
function isOwn(verdict: Verdict): boolean {
  const kind = kindOf(verdict);
  const { id } = verdict.check;
  const [group = ''] = id.split('/');
  if (kind === 'died') return false;
  if (kind === 'refused') return id === 'concurrency/both-families';
  if (kind === 'unserved')
    return ['resets', 'concurrency', 'slow-readers', 'streams'].includes(group);
  // Wrong bytes are no matter of the end of input, nor of a limit or a leak.
  if (kind === 'changed' || kind === 'early')
    return OF_BYTES.test(id) || TAIL.test(verdict.message);
  return true;
}

/** Checks that are about the bytes that come back. */
const OF_BYTES =
  /^(framing|lines|concurrency|streams\/(narrow|side)|resets\/leave|slow-readers\/resumes|bystanders\/pending)/;

/** More came than was owed: the line that should have been dropped. */
const TAIL = /expected "(.*)", got "\1.+"/;
