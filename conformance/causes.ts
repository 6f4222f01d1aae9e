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
  races: 'do threads change something that they share, without a lock?',
  'uses-select': 'does it use select(2)? It knows 1,024 descriptors: use poll or epoll instead',
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
    'it had answered many lines before: is something counted, does something grow with each line, or is a queue filled and never emptied?',
  trims: 'does it trim lines? Blanks and tabs are part of them',
  decodes: 'does it decode what it receives as UTF-8? Echo bytes, not strings',
  'obeys-words':
    'does it obey what a client says (quit, a single dot), expand it (%s, $HOME, \\n), or change it?',
  'obeys-bytes':
    "are some bytes obeyed, dropped or changed (NUL, backspace, Ctrl-Z, telnet's 255), or is text decoded?",
  'changes-a-byte':
    'one byte among right ones was changed: is a buffer written to before it has been sent, or too short?',
  'brings-back-old-bytes': 'is a buffer used again with what the line before has left in it?',
  'another-line':
    'another line came than was due: are lines answered out of order, is a buffer used again before it was sent, or is output dropped when send takes less than it was given?',
  'resumes-off':
    'when send takes less than it was given, or would block, does the rest go out from the right byte?',
  'holds-back-lines':
    'does a complete line wait for the end of the partial line behind it: in a buffer that is flushed too late?',
  'drops-output': 'is output dropped when send takes less than it was given, or would block?',
  'skips-empty-lines': 'does it take a CR LF with nothing before it for no line at all?',
  'misses-an-end':
    'does its search for CR LF forget a CR when another byte follows it, or look at one segment only?',
  'waits-for-a-line': "does it wait for one client's CR LF while others wait for it?",
  'waits-for-the-first-line':
    'does it wait for the first bytes of a client before it accepts the next, or serves others?',
  'blocks-in-send': 'does it wait in send to one client while others wait for it?',
  'starves-others':
    'does it serve one client for as long as there is something to read, before it looks at others?',
  'serves-only-so-many':
    'does it serve only so many clients at once (a pool, a table, a limit), or does a place never become free again?',
  leaks:
    'does each connection leave something behind: a descriptor, a thread, a process, a buffer?',
  'keeps-what-was-sent':
    'is every line kept (in a list, in a log, in a buffer that only grows), though it was answered?',
  'ends-connections':
    'is there a time-out that ends a connection: an idle one, or any one some time after it began?',
  'ends-partial-lines':
    'is there a time-out for an unfinished line, or has another client wiped it?',
  'one-at-a-time': 'does it serve one client to its end before it serves the next?',
  'turns-away': 'does it close the connection of whoever comes while another client is there?',
  'answers-at-the-end':
    'does it answer only when the client has sent its FIN: does it read until the end of input, or leave its output in a buffer until then?',
  'misses-the-end-of-input':
    'does it not notice the end of input (recv returns 0), or not close its side then?',
  'closes-with-a-reset':
    'does it close with input unread, or with SO_LINGER set to 0 s? The kernel then resets the connection, and throws away what was on its way',
  'drops-lines-before':
    'are the lines before the one that is too long dropped: does it close before they are sent, or with input unread?',
  'mixes-clients':
    'these bytes were sent by another client: do clients share a buffer that is not emptied when one has gone, or does an answer go to the wrong socket?',
} as const;

export type Cause = keyof typeof CAUSES;

/** The check in which much is pending, and then read. */
const RESUMES = 'slow-readers/resumes-and-gets-everything';

/** The check that tells whether a server reads on while somebody does not read its answers. */
const BESIDE_READER = 'slow-readers/beside-one';

/** The check in which others wait while some clients send as fast as they can. */
const BESIDE_FLOOD = 'streams/beside-one-that-floods';

/** The check in which many short lines are answered one by one. */
const MANY = 'lines/two-hundred-thousand';

/** The check that sends each byte once, and hence shows which of them have a meaning. */
const BYTES = 'framing/every-byte-value';

/** The check that sends what means something elsewhere. */
const WORDS = 'lines/words';

/** So many answers, or bytes, and what a server does wrong in one line would have shown. */
const MANY_ANSWERS = 100;
const MANY_BYTES = 8 * 1024 * 1024;

/** The check in which clients come and go, one after another. */
const SHORT_ONES = 'concurrency/hundreds-of-short-ones';

/** So many visits, and a server may have run out of something. */
const MANY_VISITS = 100;

/** So many bytes, and the kernel had its buffers full. */
const MUCH = 256 * 1024;

/** The check that tells whether two clients are served at all. */
const SECOND = 'concurrency/second-client-while-first-idles';

/** The check in which those come once more that others have made room for. */
const ONCE_MORE = 'leaks/as-many-as-before';

/** The check in which more come than select(2) knows. */
const BEYOND_1024 = 'concurrency/beyond-1024-descriptors';

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
      const isSure = seen && (!COULD_FOLLOW.has(seen) || isOthersWaiting(verdict));
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
  if (/^(an answer went to the wrong client|a newcomer got )/.test(message)) return 'mixes-clients';
  if (message.endsWith('the server reset the connection instead of closing it'))
    return 'closes-with-a-reset';
  if (check.id === 'bystanders/silent' && HAS_ENDED.has(kind)) return 'ends-connections';
  if (check.id === 'bystanders/partial-lines' && kind !== 'died') return 'ends-partial-lines';
  // Who was served before, and is not now that others have left, meets what these have left behind.
  if (/clients were served at once; the others were not/.test(message) && check.id !== ONCE_MORE)
    return 'serves-only-so-many';
  if (/^while a client is connected that has sent nothing/.test(message))
    return 'waits-for-the-first-line';
  if (check.id === BESIDE_READER && WAITS.has(kind)) return 'blocks-in-send';
  if (isOthersWaiting(verdict)) return 'waits-for-a-line';
  if (hasStopped(verdict)) return 'falls-silent';
  if (check.id === 'limits/line-too-long' && kind === 'short') return 'drops-lines-before';
  if (check.id === WORDS && OF_CONTENT.has(kind))
    return causeOfBytes(verdict) === 'trims' ? 'trims' : 'obeys-words';
  if (check.id === BYTES && OF_CONTENT.has(kind))
    return causeOfBytes(verdict) === 'decodes' ? 'decodes' : 'obeys-bytes';
  if (check.id === 'leaks/after-lines' && kind === 'own') return 'leaks';
  if (check.id === 'leaks/after-many-bytes' && kind === 'own') return 'keeps-what-was-sent';
  if (isExhausted(verdict)) return 'leaks';
  if (check.id === BESIDE_FLOOD && WAITS.has(kind)) return 'starves-others';
  switch (kind) {
    case 'died':
      if (/SIGPIPE|EPIPE|broken ?pipe/i.test(message)) return 'dies-of-a-write';
      if (/ECONNRESET|connection ?(was )?reset|reset by peer/i.test(message))
        return 'dies-of-a-reset';
      if (/concurrent map|data race/i.test(message)) return 'races';
      return /FD_SETSIZE|in select\(\)/.test(message) ? 'uses-select' : undefined;
    case 'open':
      return check.id.startsWith('limits/') ? undefined : 'misses-the-end-of-input';
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

/** The connection has ended, or what was on it is gone. */
const HAS_ENDED: ReadonlySet<Kind> = new Set(['fin', 'reset', 'short']);

/** Nothing comes. */
const WAITS: ReadonlySet<Kind> = new Set(['timeout', 'unserved']);

/** What a line's content may cause. */
const OF_CONTENT: ReadonlySet<Kind> = new Set(['changed', 'short', 'fin', 'reset', 'timeout']);

/** Whether it is not the holder of an unfinished line who waits, but others, whose lines are complete. */
function isOthersWaiting({ check, message }: Verdict): boolean {
  if (check.id !== 'concurrency/beside-any-partial-line') return false;
  return message.startsWith('bystander, waiting') || message.includes('a new client is not served');
}

/** Whether all was right for long, on lines like those that came after them. */
function hasStopped(verdict: Verdict): boolean {
  const { check, difference, transcript } = verdict;
  const kind = kindOf(verdict);
  if (check.id === MANY)
    return ['fin', 'reset', 'timeout'].includes(kind) && answersIn(transcript) >= MANY_ANSWERS;
  const isLate = (difference?.offset ?? 0) >= MANY_BYTES;
  return check.id === 'framing/random-lines-32-mib' && kind === 'short' && isLate;
}

/** Whether many clients were served, one after another, and then one was not. */
function isExhausted(verdict: Verdict): boolean {
  const isUnserved = ['timeout', 'unserved', 'fin', 'reset'].includes(kindOf(verdict));
  return verdict.check.id === SHORT_ONES && isUnserved && visitOf(verdict) >= MANY_VISITS;
}

/** How many times something was received; of what the transcript leaves out, every other entry. */
function answersIn(transcript: string): number {
  const more = /… ([\d,]+) more …/.exec(transcript)?.[1]?.replaceAll(',', '') ?? '0';
  const seen = transcript.split('\n').filter((line) => / receives \d/.test(line)).length;
  return seen + Math.floor(Number(more) / 2);
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
  if (check.id === 'lines/almost-the-same') return undefined; // another line differs in one byte there
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
  const byBlock = causeInBlock(expected, got);
  if (byBlock) return byBlock;
  if (check.id === 'framing/many-lines-in-one-segment' && kindOf(verdict) === 'changed')
    return 'another-line';
  const byLabel = causeOfLabels(expected, got);
  // As long as the kernel took everything, all was right: what is missing was pending.
  if (byLabel === 'another-line' && check.id === RESUMES && difference.offset > MUCH)
    return 'drops-output';
  if (byLabel) return byLabel;
  if (isBehindOldBytes(got, expected))
    return isFillOfAnother(got, expected) ? 'mixes-clients' : 'brings-back-old-bytes';
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
  const answers = answersIn(transcript);
  if (id === 'framing/many-lines-in-order' && answers >= 10) return 'falls-silent';
  if (id === 'framing/one-line' && /sends FIN[\s\S]* receives /.test(transcript))
    return 'answers-at-the-end';
  // The line in front is complete.
  if (id === 'framing/partial-line-is-held' && message.includes('waiting for 7 bytes'))
    return 'holds-back-lines';
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
  ...['one', 'any'].map((which) => ({
    check: `concurrency/beside-${which}-partial-line`,
    cause: 'waits-for-a-line' as const,
    kinds: ['timeout', 'unserved', 'changed'] as const,
    showsIn: /^(framing\/(crlf|lone|multi)|concurrency|streams|resets\/leave|leaks|bystanders)/,
  })),
  {
    check: 'concurrency/beside-one-silent-client',
    cause: 'waits-for-the-first-line',
    kinds: ['timeout', 'unserved'],
    showsIn: /^(concurrency|resets|half-close\/nothing|leaks|bystanders|measures)/,
  },
  {
    check: BESIDE_READER,
    cause: 'blocks-in-send',
    kinds: ['timeout', 'unserved'],
    showsIn: /^(slow-readers|streams|resets|leaks\/after-pending|bystanders|measures)/,
  },
  {
    check: BESIDE_FLOOD,
    cause: 'starves-others',
    kinds: ['timeout', 'unserved'],
    showsIn: /^slow-readers\/beside-twenty/,
  },
  ...['hundred-interleaved', 'thousand-open'].map((which) => ({
    check: `concurrency/${which}`,
    cause: 'serves-only-so-many' as const,
    kinds: ['timeout', 'unserved', 'fin', 'reset'] as const,
    showsIn:
      /^(concurrency\/(thousand|beyond|beside-hundred)|slow-readers\/beside-twenty|measures)/,
  })),
  {
    check: MANY,
    cause: 'falls-silent',
    kinds: ['timeout', 'fin', 'reset', 'short'],
    showsIn: /^(framing\/random|lines|leaks\/after-many|streams)/,
  },
  {
    check: 'bystanders/silent',
    cause: 'ends-connections',
    kinds: ['fin', 'reset', 'short', 'own', 'timeout'],
    showsIn: /^bystanders/,
  },
  {
    check: 'framing/partial-line-is-held',
    cause: 'holds-back-lines',
    kinds: ['timeout'],
    showsIn: /./,
  },
  {
    check: 'framing/many-lines-in-one-segment',
    cause: 'another-line',
    kinds: ['changed', 'short'],
    showsIn: /^(framing|lines|limits|half-close|resets|slow-readers\/resumes)/,
  },
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
  ...[
    'concurrency/beside-one-partial-line',
    'concurrency/hundred-interleaved',
    'resets/leave-nothing-to-others',
  ].map((check) => ({
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
    kinds: ['changed', 'short', 'timeout', 'fin', 'own'],
    showsIn:
      /^(half-close\/(output|again)|streams\/(narrow|side)|resets\/leave|limits\/line-too-long-with)/,
  },
  {
    check: 'lines/every-order-of-cr-and-lf',
    cause: 'misses-an-end',
    kinds: ['timeout', 'short', 'changed'],
    showsIn: /^(framing\/random|lines|streams)/,
  },
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
    check: SHORT_ONES,
    cause: 'leaks',
    kinds: ['timeout', 'unserved', 'fin', 'reset'],
    showsIn: /^(half-close|concurrency|resets|streams|leaks|bystanders|measures)/,
  },
  {
    check: 'leaks/after-many-bytes',
    cause: 'keeps-what-was-sent',
    kinds: ['own'],
    showsIn: /^leaks\/after-(lines|pending)/,
  },
  {
    check: 'bystanders/partial-lines',
    cause: 'ends-partial-lines',
    kinds: ['timeout', 'fin', 'reset', 'short', 'changed', 'own'],
    showsIn: /^bystanders\/(pending|lone)/,
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
  {
    check: BYTES,
    cause: 'obeys-bytes',
    kinds: ['changed', 'short', 'fin', 'reset', 'timeout'],
    showsIn: /^(framing\/(random|invalid)|lines\/every-byte)/,
  },
  {
    check: WORDS,
    cause: 'obeys-words',
    kinds: ['changed', 'short', 'fin', 'reset', 'timeout'],
    showsIn: /^(framing\/(many-lines-in-order|random)|lines\/every-byte)/,
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
  'obeys-words',
  'obeys-bytes',
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
    // Who loses lines does not echo one that is too long.
    if (cause.startsWith('loses-') && TAIL.test(verdict.message)) continue;
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

/** Whether the line that is due comes, and the end of a line before it once more. */
function isBehindOldBytes(got: string, expected: string): boolean {
  const at = got.indexOf('\\r\\n') + 4;
  const [rest, due] = [got.slice(at), expected].map((text) => text.replace(/…$/, ''));
  return at > 4 && !!rest && rest.length >= 4 && !!due?.startsWith(rest);
}

/** A line of a block. */
const BLOCK_LINE = /(\d{7})(?=([.a-z])\2\2)/;

/** What fills the lines of a block: each client that has output pending has a sign of its own. */
function fillOf(text: string): string | undefined {
  return /([.a-z])\1{5}/.exec(text)?.[1];
}

/** Whether what came before the bytes that were due fills no block of this client. */
function isFillOfAnother(got: string, expected: string): boolean {
  const fill = fillOf(expected);
  const sign = /^…?([a-z])\1*\\r\\n/.exec(got)?.[1];
  return fill !== undefined && sign !== undefined && sign !== fill;
}

/** What became of a block whose bytes were pending: a part is missing, or a few bytes came twice. */
function causeInBlock(expected: string, got: string): Cause | undefined {
  const [due, came] = [expected, got].map((text) => text.replace(/^…|…$/g, ''));
  if (!due || !came || fillOf(due) === undefined || fillOf(due) !== fillOf(came)) return undefined;
  if (!BLOCK_LINE.test(due) && /[.a-z]\d{7}/.test(came)) return 'drops-output';
  let at = 0;
  while (at < due.length && due[at] === came[at]) at++;
  const [rest, moved] = [due.slice(at), came.slice(at)];
  const isMoved = (a: string, b: string) =>
    [1, 2, 3, 4].some((by) => /\d{7}/.test(a) && a.startsWith(b.slice(by)) && b.length > by + 8);
  return isMoved(rest, moved) || isMoved(moved, rest) ? 'resumes-off' : undefined;
}

/** The suite numbers its lines, `0000012...` and `stream.12:...`: which one came? */
function causeOfLabels(expected: string, got: string): Cause | undefined {
  const [fill, otherFill] = [expected, got].map((text) => fillOf(text.replace(/^….{8}/, '')));
  if (fill && otherFill && fill !== otherFill) return 'mixes-clients';
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
  const came = got.replace(/^…|…$/g, '');
  const sent = /ms {2}(.*?) sends [\d,]+ bytes?: (.*)$/;
  const receiver = /ms {2}(.*?) receives /;
  const lines = transcript.split('\n');
  const last = lines.findLast((line) => receiver.test(line));
  const name = last && receiver.exec(last)?.[1];
  const said = lines.map((line) => sent.exec(line) ?? []);
  const own = said.flatMap(([, who, what]) => (who === name && what ? [what] : []));
  return said.some(([, who, what = '']) => {
    if (who === undefined || who === name) return false;
    // What was left behind by somebody else stands behind the last line that was complete.
    return [what, what.split('\\r\\n').at(-1) ?? ''].some((text) => {
      const piece = came.slice(0, Math.min(12, text.length));
      if (piece.length >= 4 && !expected.includes(piece) && text.startsWith(piece)) return true;
      // What several have left behind has come together.
      const begun = text.slice(0, 12);
      const isExpected = expected.includes(begun) || own.some((one) => one.includes(begun));
      return begun.length >= 8 && came.includes(begun) && !isExpected;
    });
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
  if (/a new client is not served|connecting to .*: no answer in/.test(message)) return 'unserved';
  if (message.includes('the server closed the connection (FIN)')) return 'fin';
  if (message.includes('the server reset the connection (RST)')) return 'reset';
  return /: not within \d+ ms; /.test(message) ? 'timeout' : 'own';
}

/** The number of the visit in which a check failed that has many, one after another; 0: none is named. */
function visitOf({ message }: Verdict): number {
  return Number(/(?:visitor|client) (\d+)/.exec(message)?.[1] ?? 0);
}

/** Whether a check's own guess fits what was seen. */
function isOwn(verdict: Verdict): boolean {
  const kind = kindOf(verdict);
  const { id } = verdict.check;
  const [group = ''] = id.split('/');
  if (kind === 'died') return id === 'concurrency/out-of-descriptors';
  if (id === ONCE_MORE) return kind !== 'changed';
  if (id === BEYOND_1024) return visitOf(verdict) > 900; // what ends earlier is no matter of descriptors
  if (kind === 'refused') return id === 'concurrency/both-families';
  if (kind === 'unserved')
    return ['resets', 'concurrency', 'slow-readers', 'streams'].includes(group);
  if (OF_CHANGES.test(id)) return kind === 'changed' || kind === 'short' || kind === 'early';
  // Who cannot be measured shows nothing; after hundreds of visits, a server may have run out of something.
  if (group === 'measures') return kind === 'own';
  if (group === 'leaks' && kind !== 'own') return visitOf(verdict) >= 300;
  // Wrong bytes are no matter of the end of input, nor of a limit or a leak, nor of waiting for others.
  if (kind === 'changed' || kind === 'early')
    return OF_BYTES.test(id) || TAIL.test(verdict.message);
  return true;
}

/** Checks that are about the bytes that come back. */
const OF_BYTES =
  /^(framing|lines|concurrency\/(?!beside-ending)|streams\/(narrow|side)|resets\/leave|slow-readers\/resumes|bystanders\/(pending|lone|many))/;

/** Checks that guess at why bytes have changed. */
const OF_CHANGES = /^(framing\/(random|multibyte|invalid)|lines\/short|concurrency\/nothing-is)/;

/** More came than was owed: the line that should have been dropped. */
const TAIL = /expected "(.*)", got "\1.+"/;
