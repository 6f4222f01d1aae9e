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
  trims: 'does it trim lines? Blanks, tabs and other signs are part of them',
  decodes: 'does it decode what it receives as UTF-8? Echo bytes, not strings',
  'changes-a-byte':
    'a byte was changed in the middle of right ones: is a buffer written to before it has been sent, or too short?',
  'loses-the-last':
    'is only a part of the lines that one recv returned answered: all but the last, or the first?',
} as const;

export type Cause = keyof typeof CAUSES;

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
  | 'reset'
  | 'own';

/** Explains all failures of one server: what follows from one that was explained before, says so. */
export function explain(verdicts: readonly Verdict[]): ReadonlyMap<string, Explanation> {
  const failed = verdicts.filter(({ outcome }) => outcome === 'fail');
  const first = new Map<Cause, string>();
  return new Map(
    failed.map((verdict): [string, Explanation] => {
      const { check } = verdict;
      const cause = causeOf(verdict, failed);
      if (!cause) {
        const text = isOwn(verdict) ? check.cause : undefined;
        return [check.id, { cause, text, follows: undefined }];
      }
      const follows = first.get(cause);
      if (!follows) first.set(cause, check.id);
      const text = follows ? `the same as in ${follows}: ${CAUSES[cause]}` : CAUSES[cause];
      return [check.id, { cause, text, follows }];
    }),
  );
}

function causeOf(verdict: Verdict, failed: readonly Verdict[]): Cause | undefined {
  const { check, message, transcript } = verdict;
  const kind = kindOf(verdict);
  const other = (id: string) => failed.find((one) => one.check.id === id);
  const isEarly = (id: string) => {
    const one = other(id);
    return one !== undefined && kindOf(one) === 'early';
  };
  switch (kind) {
    case 'died':
      if (/SIGPIPE|EPIPE|broken ?pipe/i.test(message)) return 'dies-of-a-write';
      if (/ECONNRESET|connection ?(was )?reset|reset by peer/i.test(message))
        return 'dies-of-a-reset';
      return undefined;
    case 'early':
    case 'changed':
    case 'short': {
      const byBytes = causeOfBytes(verdict, kind);
      // Who echoes before the line is complete does so in every check that sends an incomplete one.
      if (isEarly('framing/partial-line-is-held') && ECHOES_READS.has(check.id))
        return 'echoes-reads';
      return byBytes;
    }
    case 'timeout': {
      if (check.id === 'framing/crlf-split-across-segments') return 'misses-a-split-end';
      const split = other('framing/crlf-split-across-segments');
      const isSplit = split && kindOf(split) === 'timeout' && CUTS_ENDS.has(check.id);
      return isSplit && !/receives/.test(transcript.split('\n').at(-1) ?? '')
        ? 'misses-a-split-end'
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Checks in which an incomplete line is sent, and its echo shows. */
const ECHOES_READS: ReadonlySet<string> = new Set([
  'framing/partial-line-is-held',
  'framing/crlf-split-across-segments',
  'framing/lone-lf-is-a-byte',
  'framing/lone-cr-is-a-byte',
  'lines/every-order-of-cr-and-lf',
  'limits/line-too-long',
  'limits/line-too-long-with-more-behind',
  'limits/endless-line',
  'half-close/tail-is-dropped',
]);

/** Checks in which CR and LF come in two segments. */
const CUTS_ENDS: ReadonlySet<string> = new Set([
  'framing/one-byte-at-a-time',
  'framing/lone-cr-is-a-byte',
  'lines/every-order-of-cr-and-lf',
  'lines/lengths',
]);

function causeOfBytes({ check, message, difference }: Verdict, kind: Kind): Cause | undefined {
  if (kind === 'early') {
    const came = /"([^"]*)" came/.exec(message)?.[1] ?? '';
    if (check.id === 'framing/partial-line-is-held') return 'echoes-reads';
    if (check.id === 'framing/lone-lf-is-a-byte' && came.endsWith('\\n')) return 'ends-at-lf';
    if (came.endsWith('\\r')) return 'ends-at-cr';
    return undefined;
  }
  if (!difference) return undefined;
  const expected = bytesOf(difference.expected);
  const got = bytesOf(difference.got);
  if (got.includes('\\xef\\xbf\\xbd')) return 'decodes';
  if (check.id === 'framing/one-line') {
    const body = bytesOf(difference.expected).replace(/\\r\\n$/, '');
    if (got === `${body}\\n`) return 'answers-lf';
    if (got === body) return 'strips-the-end';
    if (got.startsWith(expected)) return 'doubles-the-end';
    if (!got.startsWith(body.slice(0, 1)) && got !== '') return 'greets';
    return undefined;
  }
  if (got !== '' && got !== expected && expected.endsWith(got) && !got.startsWith('…'))
    return 'loses-the-rest';
  const blank = /^(\s|\\t)+|(\s|\\t)+(?=\\r\\n$)/g;
  if (got !== expected && got === expected.replace(blank, '')) return 'trims';
  if (isOneByteChanged(expected, got)) return 'changes-a-byte';
  return undefined;
}

/** Whether one byte differs, and those behind it do not. */
function isOneByteChanged(expected: string, got: string): boolean {
  const [a, b] = [tokens(expected), tokens(got)];
  if (a.length !== b.length || a.length < 4) return false;
  return a.filter((token, i) => token !== b[i]).length === 1 && a.at(-1) === b.at(-1);
}

function tokens(text: string): string[] {
  return text.match(/\\x[0-9a-f]{2}|\\.|…|[^\\]/g) ?? [];
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
  // Wrong bytes are no matter of the end of input, nor of a limit.
  if (kind === 'changed' || kind === 'early')
    return (
      !['half-close', 'limits', 'leaks', 'measures', 'bystanders'].includes(group) ||
      id === 'half-close/tail-is-dropped'
    );
  // A check that waits for what should come knows why it does not: but a time-out alone says little.
  return true;
}
