/**
 * What a reader should be told about each mutant: the causes that are right for its defect (`causes.ts`), and
 * the checks whose own guess is. No other cause may be named beside one of its failures; at least one must be,
 * where there are any here.
 */
import type { Cause } from '../causes.ts';

/** By the mutant's name. Checks are written with their group, so they contain a slash. */
export const rightCauses: Readonly<Record<string, readonly (Cause | `${string}/${string}`)[]>> = {
  greets: ['greets'],
  'turns-crlf-into-lf': ['answers-lf'],
  'echoes-chunks': ['echoes-reads'],
  'drops-last-line': ['loses-lines'],
  'drops-rest-of-a-segment': ['loses-the-rest'],
  'trims-lines': ['trims', 'framing/many-lines-in-order'],
  'skips-empty-lines': ['skips-empty-lines'],
  'falls-silent-after-a-while': ['falls-silent'],
  'misses-a-split-terminator': ['misses-a-split-end'],
  'splits-at-bare-lf': ['ends-at-lf'],
  'ends-lines-at-cr': ['ends-at-cr'],
  'decodes-utf8': ['decodes', 'obeys-bytes', 'lines/every-byte-in-every-place'],
  'reorders-under-load': ['another-line'],
  'corrupts-beyond-64-kib': ['changes-a-byte'],
  'short-line-buffer': ['limits/longest-line', 'lines/lengths'],
  'no-line-limit': ['limits/line-too-long', 'limits/endless-line'],
  'limits-characters': ['limits/line-too-long'],
  'closes-before-it-answers': [
    'drops-lines-before',
    'half-close/answers-after-fin',
    'half-close/tail-is-dropped',
    'limits/line-too-long',
  ],
  'loses-output-at-half-close': ['half-close/output-is-not-lost', 'half-close/again-and-again'],
  'echoes-the-tail': ['half-close/tail-is-dropped'],
  'one-client-at-a-time': ['one-at-a-time'],
  'turns-away-the-second': ['turns-away', 'concurrency/waiting-client-is-served-next'],
  'one-buffer-for-all': [
    'mixes-clients',
    'concurrency/hundred-interleaved',
    'concurrency/nothing-is-inherited',
    'resets/leave-neighbours-alone',
    'resets/leave-nothing-to-others',
    'streams/side-by-side',
  ],
  'swaps-two-answers': ['mixes-clients', 'concurrency/hundred-interleaved'],
  'serves-fifty-at-once': ['serves-only-so-many'],
  'stops-at-1020': ['concurrency/beyond-1024-descriptors', 'serves-only-so-many'],
  'never-frees-a-slot': ['leaks', 'serves-only-so-many'],
  'leaks-a-descriptor': ['leaks', 'concurrency/leaves-no-descriptors', 'leaks/after-lines'],
  'ipv4-only': ['concurrency/both-families'],
  'blocks-on-slow-reader': ['blocks-in-send'],
  'blocks-over-ipv6': ['blocks-in-send', 'slow-readers/beside-twenty', 'concurrency/over-ipv6'],
  'has-ten-writers': ['slow-readers/beside-twenty'],
  'buffers-without-bound': ['slow-readers/server-stops-taking'],
  'buffers-24-mib': ['slow-readers/server-stops-taking'],
  'drops-what-would-block': [
    'another-line',
    'drops-output',
    'slow-readers/server-stops-taking',
    // On a busy machine all that was pending may be dropped: then only the end of it is seen.
    'half-close/output-is-not-lost',
    'half-close/again-and-again',
    'resets/leave-neighbours-alone',
  ],
  'dies-of-a-reset': ['dies-of-a-reset', 'dies-of-a-write'],
  'dies-of-a-write-error': ['dies-of-a-reset', 'dies-of-a-write'],
  'dies-of-a-long-answer': ['dies-of-a-reset', 'dies-of-a-write'],
  'dies-of-a-silent-visit': [],
  'spins-when-clients-have-left': [
    'measures/rest-after-clients-have-left',
    'measures/rest-while-clients-wait',
  ],
  'answers-after-a-second': ['measures/round-trip'],
  'brings-back-old-bytes': ['brings-back-old-bytes'],
  'closes-with-input-unread': ['limits/line-too-long-with-more-behind'],
  'counts-characters': ['streams/narrow-readers'],
  'drops-a-byte-order-mark': ['lines/every-byte-in-every-place'],
  'ends-idle-connections': ['ends-connections'],
  'ends-slow-lines': ['ends-partial-lines', 'bystanders/successors'],
  'ends-slow-readers': ['bystanders/pending-output'],
  'forgets-a-cr-after-lf': ['misses-an-end'],
  'gives-up-two-seconds-after-fin': ['bystanders/half-closed'],
  'waits-for-who-must-leave': [
    'concurrency/beside-ending-clients',
    // On a busy machine the check that tells may have no time: then only this is seen.
    'bystanders/lines-too-long',
  ],
  'has-one-timer-for-all': ['bystanders/lines-too-long'],
  'takes-no-turns': ['concurrency/takes-turns'],
  'does-not-accept-again': ['concurrency/out-of-descriptors'],
  'loses-its-place-in-the-list': [
    'concurrency/all-in-one-moment',
    // What somebody else sends, or is sent, is lost with the place.
    'streams/side-by-side',
    'half-close/output-is-not-lost',
    'half-close/again-and-again',
  ],
  'ends-who-takes-the-place': ['bystanders/successors'],
  'waits-for-its-clients': ['shutdown/sigterm'],
  'loses-output-over-ipv6': ['concurrency/over-ipv6'],
  'keeps-1024-pieces': ['bystanders/many-pieces'],
  'interns-lines': ['lines/almost-the-same'],
  'counts-earlier-lines': ['lines/lengths', 'limits/longest-line-behind-others'],
  'forgets-what-a-lone-lf-ends': ['bystanders/lone-cr-and-lf'],
  'echoes-a-tail-that-ends-in-lf': ['half-close/tail-with-lone-ends-is-dropped'],
  'misses-a-split-empty-line': ['framing/empty-line-split-across-segments'],
  'counts-who-reset': ['leaks/as-many-as-before'],
  'hands-on-pending-output': ['resets/leave-nothing-to-others', 'mixes-clients'],
  'inherits-a-partial-line': [
    'mixes-clients',
    'concurrency/nothing-is-inherited',
    'resets/leave-neighbours-alone',
    'streams/side-by-side',
  ],
  'keeps-partial-lines-for-ever': ['leaks/after-partial-lines', 'leaks/after-long-lines'],
  'leaks-at-a-client-that-stays': ['leaks/after-long-lines'],
  'leaks-at-a-long-line': ['leaks/after-long-lines'],
  'leaks-at-a-reset': ['leaks/after-resets'],
  'leaks-at-a-silent-visit': ['leaks/after-silent-visits'],
  'leaks-at-a-write-error': ['leaks/after-pending-output'],
  'misses-crlf-at-16-kib': ['lines/lengths'],
  'mixes-up-pending-output': [
    'bystanders/pending-output',
    'bystanders/half-closed',
    'mixes-clients',
    'streams/narrow-readers',
    'streams/side-by-side',
    'resets/leave-neighbours-alone',
  ],
  'obeys-quit': ['obeys-words'],
  'remembers-every-line': [
    'keeps-what-was-sent',
    // On a busy machine too few bytes come for the check that tells: then only this is seen.
    'leaks/after-pending-output',
  ],
  'remembers-who-reset': ['resets/leave-nothing-to-others', 'mixes-clients'],
  'resumes-a-byte-off': ['streams/narrow-readers'],
  'shares-long-lines': [
    'mixes-clients',
    'ends-partial-lines',
    'concurrency/long-partial-lines',
    'streams/side-by-side',
  ],
  'spins-while-output-is-pending': ['measures/rest-while-clients-wait'],
  'starves-neighbours': ['starves-others'],
  'stops-at-100000-lines': ['falls-silent', 'lines/two-hundred-thousand', 'streams/side-by-side'],
  'stops-at-64-mib': ['lines/hundred-mebibytes'],
  'takes-65535-bytes-for-too-long': ['lines/lengths'],
  'tells-clients-by-their-port': ['concurrency/same-port-twice', 'mixes-clients'],
  'waits-for-a-first-line': ['waits-for-the-first-line'],
  'waits-for-the-rest-of-a-line': ['waits-for-a-line'],
  'wipes-partial-lines-at-a-reset': [
    'bystanders/successors',
    'bystanders/half-closed',
    'bystanders/many-pieces',
    'resets/leave-neighbours-alone',
    'streams/side-by-side',
    'ends-partial-lines',
  ],
};

/** The failures of a mutant beside which a wrong cause is named, or none where one is to be. */
export function wrongCauses(
  name: string,
  explanations: ReadonlyMap<
    string,
    { readonly cause?: Cause | undefined; readonly text?: string | undefined }
  >,
): string[] {
  const right = rightCauses[name];
  if (!right || explanations.size === 0) return [];
  const named = [...explanations].flatMap(([id, { cause, text }]) =>
    text ? [[id, cause ?? id]] : [],
  );
  const wrong = named
    .filter(([, what = '']) => !(right as readonly string[]).includes(what))
    .map(([id, what]) => `${id}: ${what === id ? 'its own guess' : what}`);
  return right.length > 0 && named.length === 0 ? ['no cause is named'] : wrong;
}
