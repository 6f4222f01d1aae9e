/** Questions to a trace whose answers are known. */
import { expect, test } from 'vitest';
import { Seen } from './seen.ts';
import type { Event, Trace } from './trace.ts';

function seen(events: readonly Event[]): Seen {
  const parts = { duration: 1000, names: { A: 'Anna' }, tasks: [], facts: [], inside: [] };
  return new Seen({ ...parts, events } as unknown as Trace);
}

const connected: Event = { t: 0, who: 'A', did: 'connected' };

function sends(t: number, text: string): Event {
  return { t, who: 'A', did: 'send', text, bytes: 3, lines: 1 };
}

test('a line that nobody answers is waited for until the end of the trace', () => {
  expect(seen([connected, sends(100, 'a\\n')]).longestWait('A')).toBe(900);
  expect(seen([connected]).longestWait('A')).toBeUndefined();
});

test('nobody waits any longer than the connection lasts', () => {
  const gone: Event[] = [connected, sends(100, 'a\\n'), { t: 300, who: 'A', did: 'reset' }];
  expect(seen(gone).longestWait('A')).toBe(200);
  const again: Event[] = [
    ...[...gone, { ...connected, t: 400 }, sends(500, 'b\\n')],
    { t: 510, who: 'A', did: 'echo', text: 'b\\n', line: 2, waited: 10 },
  ];
  expect(seen(again).longestWait('A')).toBe(200);
});
