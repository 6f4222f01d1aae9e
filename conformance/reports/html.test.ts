/** The filter of the HTML report. */
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import type { Report, Result } from '../report.ts';
import type { Outcome } from '../run.ts';
import { html } from './html.ts';

const result = (id: string, outcome: Outcome): Result => ({
  ...{ id, level: 'must', title: id, sentence: id, outcome, message: '', milliseconds: 1 },
  ...{ transcript: '', again: '' },
});

/** Servers by name, and the outcome of each of three checks. */
function reportOf(servers: Readonly<Record<string, readonly Outcome[]>>): Report {
  const ids = ['a/one', 'a/two', 'b/three'];
  return {
    ...{ format: 1, version: '0', date: '2026-01-01T00:00:00Z', node: '', system: '' },
    interrupted: false,
    servers: Object.entries(servers).map(([name, outcomes]) => ({
      ...{ name, conclusion: 'fulfils', roundTrip: 1, lineEnds: '' },
      results: outcomes.map((outcome, i) => result(ids[i] as string, outcome)),
    })),
  };
}

/** The rows of the matrix that a choice leaves: the style sheet says which class a row must have. */
function shown(text: string, choice: string): string[] {
  const { document } = parseHTML(text);
  const wanted = new RegExp(`#show-${choice}:checked\\) tbody tr:not\\(\\.(\\w+)\\)`).exec(
    text,
  )?.[1];
  const rows = [...document.querySelectorAll(wanted ? `tbody tr.${wanted}` : 'tbody tr')];
  return rows.map((row) => `${row.querySelector('th code')?.textContent ?? row.textContent}`);
}

const buttons = (text: string) =>
  [...parseHTML(text).document.querySelectorAll('.filter label')].map((label) => {
    const isDisabled = label.querySelector('input')?.hasAttribute('disabled');
    return `${label.textContent?.trim()}${isDisabled ? ' disabled' : ''}`;
  });

test('servers side by side: all rows, those that somebody did not pass, those in which they differ', () => {
  const text = html(reportOf({ x: ['pass', 'fail', 'pass'], y: ['pass', 'fail', 'blocked'] }));
  expect(buttons(text)).toEqual([
    'all (3)',
    'not passed by every server (2)',
    'servers differ (1)',
  ]);
  expect(shown(text, 'all')).toEqual(['a', 'one', 'two', 'b', 'three']);
  expect(shown(text, 'unpassed')).toEqual(['a', 'two', 'b', 'three']);
  expect(shown(text, 'differing')).toEqual(['b', 'three']);
  expect(text).not.toContain('<script');
});

test('one server cannot differ, and where all passed there is nothing else to show', () => {
  const text = html(reportOf({ x: ['pass', 'pass', 'pass'] }));
  expect(buttons(text)).toEqual(['all (3)', 'not passed (0) disabled']);
});
