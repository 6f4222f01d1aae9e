/** The mutants: wrong servers with one defect each, and the checks that must catch it, no more and no fewer. */

/** By the name of the file beside this one, without `.ts`. */
export const mutants: Readonly<Record<string, readonly string[]>> = {
  greets: ['framing/one-line'],
  'turns-crlf-into-lf': ['framing/one-line'],
  'echoes-chunks': [
    'framing/partial-line-is-held',
    'framing/crlf-split-across-segments',
    'framing/lone-lf-is-a-byte',
    'framing/lone-cr-is-a-byte',
    'limits/line-too-long',
    'limits/endless-line',
    'half-close/tail-is-dropped',
  ],
  'drops-last-line': [
    'framing/empty-line',
    'framing/many-lines-in-one-segment',
    'half-close/answers-after-fin',
    'concurrency/waiting-client-is-served-next',
  ],
  'drops-rest-of-a-segment': [
    'framing/partial-line-is-held',
    'framing/rest-of-a-segment-is-kept',
    'framing/crlf-split-across-segments',
    'framing/lone-lf-is-a-byte',
    'framing/lone-cr-is-a-byte',
    'framing/multibyte-split-across-segments',
  ],
  'trims-lines': ['framing/many-lines-in-order', 'framing/random-lines-32-mib'],
  'skips-empty-lines': ['framing/empty-line', 'framing/random-lines-32-mib'],
  'falls-silent-after-a-while': [
    'framing/many-lines-in-order',
    'framing/random-lines-32-mib',
    'slow-readers/resumes-and-gets-everything',
  ],
  'misses-a-split-terminator': [
    'framing/one-byte-at-a-time',
    'framing/crlf-split-across-segments',
    'framing/lone-cr-is-a-byte',
  ],
  'splits-at-bare-lf': ['framing/lone-lf-is-a-byte'],
  'ends-lines-at-cr': [
    'framing/one-byte-at-a-time',
    'framing/crlf-split-across-segments',
    'framing/lone-cr-is-a-byte',
    'half-close/tail-is-dropped',
  ],
  'decodes-utf8': [
    'framing/every-byte-value',
    'framing/invalid-utf8',
    'framing/multibyte-split-across-segments',
    'framing/random-lines-32-mib',
  ],
  'reorders-under-load': [
    'framing/random-lines-32-mib',
    'limits/longest-line',
    'half-close/answers-after-fin',
    'slow-readers/resumes-and-gets-everything',
  ],
  'corrupts-beyond-64-kib': [
    'framing/random-lines-32-mib',
    'limits/longest-line',
    'half-close/output-is-not-lost',
    'slow-readers/resumes-and-gets-everything',
  ],
  'short-line-buffer': ['limits/longest-line'],
  'no-line-limit': ['limits/line-too-long', 'limits/endless-line'],
  'closes-before-it-answers': [
    'limits/line-too-long',
    'half-close/answers-after-fin',
    'half-close/tail-is-dropped',
  ],
  'loses-output-at-half-close': ['half-close/output-is-not-lost'],
  'echoes-the-tail': ['half-close/tail-is-dropped'],
  'spins-at-end-of-input': [
    'half-close/answers-after-fin',
    'half-close/tail-is-dropped',
    'half-close/nothing-sent',
    'concurrency/leaves-no-descriptors',
    'slow-readers/resumes-and-gets-everything',
    'measures/rest-after-clients-have-left',
  ],
  'one-client-at-a-time': ['concurrency/second-client-while-first-idles'],
  'turns-away-the-second': [
    'concurrency/second-client-while-first-idles',
    'concurrency/waiting-client-is-served-next',
  ],
  'one-buffer-for-all': [
    'limits/line-too-long',
    'limits/endless-line',
    'half-close/nothing-sent',
    'concurrency/hundred-interleaved',
    'concurrency/beside-one-partial-line',
    'slow-readers/beside-one',
    'resets/mid-line',
    'resets/mid-answer',
  ],
  'swaps-two-answers': ['concurrency/hundred-interleaved', 'concurrency/thousand-open'],
  'serves-fifty-at-once': [
    'concurrency/hundred-interleaved',
    'concurrency/thousand-open',
    'concurrency/beside-hundred-partial-lines',
  ],
  'stops-at-500': ['concurrency/thousand-open'],
  'never-frees-a-slot': ['concurrency/hundreds-of-short-ones'],
  'leaks-a-descriptor': ['concurrency/leaves-no-descriptors'],
  'ipv4-only': ['concurrency/both-families'],
  'blocks-on-slow-reader': ['slow-readers/beside-one'],
  'has-ten-writers': ['slow-readers/beside-twenty'],
  'buffers-without-bound': ['slow-readers/server-stops-taking'],
  'drops-what-would-block': [
    'half-close/output-is-not-lost',
    'slow-readers/server-stops-taking',
    'slow-readers/resumes-and-gets-everything',
  ],
  'dies-of-a-reset': [
    'resets/mid-line',
    'resets/mid-answer',
    'resets/connect-and-vanish',
    'measures/rest-after-clients-have-left',
  ],
  'dies-of-a-write-error': ['resets/mid-answer'],
  'dies-of-a-silent-visit': [
    'half-close/nothing-sent',
    'resets/connect-and-vanish',
    'measures/rest-after-clients-have-left',
  ],
  'spins-when-clients-have-left': ['measures/rest-after-clients-have-left'],
  'answers-after-a-second': ['measures/round-trip'],
};

/**
 * Checks that no mutant can fail: they only measure.
 */
export const onlyMeasure: readonly string[] = [
  'measures/round-trip-beside-slow-readers',
  'measures/bytes-taken-from-a-client-that-never-reads',
  'measures/memory-for-each-connection',
];

/** A mutant that is slow is judged by these alone: the others would take it minutes, and pass. */
export const slowOnes: Readonly<Record<string, readonly string[]>> = {
  'answers-after-a-second': [
    'framing/one-line',
    'framing/partial-line-is-held',
    'measures/round-trip',
  ],
};
