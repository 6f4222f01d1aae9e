/** The last lines that a person reads. */
import { expect, test } from 'vitest';
import type { Level } from '../check.ts';
import type { Result } from '../report.ts';
import { TerminalReport } from './terminal.ts';

function failed(id: string, level: Level, follows?: string): Result {
  const what = { id, level, title: '', sentence: '', outcome: 'fail', message: '' } as const;
  return { ...what, ...(follows && { follows }), milliseconds: 1, transcript: '', again: '' };
}

function lastLines(...results: Result[]): string {
  const server = { name: 'mine', results, conclusion: 'does not' };
  return new TerminalReport(false).ending({ servers: [server], interrupted: false } as never);
}

test('of several failures, begin with a must-check, then with what may explain the most', () => {
  const text = lastLines(
    failed('small', 'should'),
    failed('changes', 'should'),
    failed('changed', 'should', 'changes'),
    failed('dies', 'should'),
    failed('dead', 'should', 'dies'),
    failed('gone', 'info', 'dies'),
    failed('silent', 'must'),
  );
  expect(text).toContain(
    'mine  begin with silent, then dies (2 more may have the same cause), then changes (1 more may have the same cause)\n',
  );
});

test('one failure needs no advice', () => {
  expect(lastLines(failed('small', 'should'))).not.toContain('begin with');
});
