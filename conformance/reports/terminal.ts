/** What a person at a terminal reads: each verdict as it falls, then what went wrong, then a line. */
import { styleText } from 'node:util';
import { LEVELS } from '../check.ts';
import type { Report, Result } from '../report.ts';
import type { Verdict } from '../run.ts';
import { MEANING, SIGN, tally } from './words.ts';

type Colour = 'green' | 'red' | 'yellow' | 'gray' | 'bold';

const COLOUR = {
  pass: 'green',
  fail: 'red',
  known: 'yellow',
  stale: 'red',
  unsupported: 'gray',
  harness: 'yellow',
  blocked: 'gray',
} as const;

/** Whether a stream is to be coloured: a terminal, and nobody has set NO_COLOR (no-color.org). */
export function isColoured(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

export class TerminalReport {
  readonly #paint: (colour: Colour, text: string) => string;

  constructor(coloured: boolean) {
    this.#paint = (colour, text) =>
      coloured ? styleText(colour, text, { validateStream: false }) : text;
  }

  /** One verdict, in one line. */
  verdict({ check, outcome, message, milliseconds }: Verdict): string {
    const sign = this.#paint(COLOUR[outcome], SIGN[outcome]);
    const says =
      outcome === 'pass'
        ? `${message && ` ${message}`}${milliseconds >= 100 ? this.#paint('gray', ` ${milliseconds} ms`) : ''}`
        : this.#paint(
            COLOUR[outcome],
            ` ${MEANING[outcome]}${outcome === 'fail' ? '' : `: ${firstLine(message)}`}`,
          );
    return `  ${sign} ${check.id}${says}`;
  }

  /** What was not run, by reason: one cause makes one line. */
  blocked(verdicts: readonly Verdict[]): string[] {
    const reasons = new Map<string, string[]>();
    for (const { check, outcome, message } of verdicts) {
      if (outcome === 'blocked') reasons.set(message, [...(reasons.get(message) ?? []), check.id]);
    }
    return [...reasons].map(([reason, ids]) => {
      const [which, why] =
        ids.length === 1
          ? [ids[0], reason]
          : [`${ids.length} checks`, reason.replace(/^it needs /, 'they need ')];
      return this.#paint('gray', `  ${SIGN.blocked} ${which} not run: ${why}`);
    });
  }

  heading(name: string): string {
    return this.#paint('bold', name);
  }

  /** What went wrong, check by check, and the last lines. */
  ending({ servers, interrupted }: Report): string {
    const blocks = servers.flatMap(({ name, results }) =>
      results
        .filter(({ outcome }) => ['fail', 'stale', 'harness'].includes(outcome))
        .map((result) => this.#failure(servers.length > 1 ? `${name}: ` : '', result)),
    );
    const width = Math.max(...servers.map(({ name }) => name.length));
    const lines = servers.map(({ name, conclusion, results }) => {
      const colour = conclusion.startsWith('fulfils') ? 'green' : 'red';
      return [
        `${name.padEnd(width)}  ${tally(results)}`,
        ...beginWith(results).map((line) => `${name.padEnd(width)}  ${line}`),
        `${name.padEnd(width)}  ${this.#paint(colour, conclusion)}`,
      ].join('\n');
    });
    if (interrupted) lines.unshift('The run was interrupted.');
    return [...blocks, lines.join('\n')].join('\n\n');
  }

  #failure(where: string, result: Result): string {
    const { id, level, title, sentence, message, cause, difference, transcript, again } = result;
    const lines = [
      `${this.#paint('red', `${SIGN[result.outcome]} ${where}${id}`)} (${level}): ${title}`,
      `    says     “${sentence}”`,
      ...(difference
        ? [
            `    expected ${difference.expected}`,
            `    got      ${difference.got}, from byte ${difference.offset} on`,
          ]
        : indented(message, '    but      ')),
      ...(cause ? [`    cause?   ${cause}`] : []),
      `    again    ${again}`,
      ...shortened(transcript.split('\n')).map((line) => this.#paint('gray', `    | ${line}`)),
    ];
    return lines.join('\n');
  }
}

/** Of several failures, three that follow from no other: must-checks first, then those that may explain the most. */
function beginWith(results: readonly Result[]): string[] {
  const failed = results.filter(({ outcome }) => outcome === 'fail');
  if (failed.length < 2) return [];
  const roots = failed
    .filter(({ follows }) => follows === undefined)
    .map(({ id, level }) => {
      const others = failed.filter(({ follows }) => follows === id).length;
      const may = others > 0 ? ` (${others} more may have the same cause)` : '';
      return { level, others, text: `${id}${may}` };
    });
  const order = LEVELS.flatMap((level) =>
    roots.filter((root) => root.level === level).sort((a, b) => b.others - a.others),
  );
  const first = order.slice(0, 3).map(({ text }) => text);
  return first.length > 0 ? [`begin with ${first.join(', then ')}`] : [];
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}

function indented(text: string, label: string): string[] {
  return text.split('\n').map((line, i) => (i === 0 ? label : '             ') + line);
}

/** How it began and how it ended: the whole transcript is in the reports. */
function shortened(lines: string[]): string[] {
  if (lines.length <= 14) return lines.filter(Boolean);
  return [...lines.slice(0, 7), `… ${lines.length - 12} more lines …`, ...lines.slice(-5)];
}
