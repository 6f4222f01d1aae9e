import { expect, test } from 'vitest';
import { aFlood } from './lessons/a-flood.ts';
import { halfALine } from './lessons/half-a-line.ts';
import { killAWorker } from './lessons/kill-a-worker.ts';
import { twoWorkersOneCore } from './lessons/two-workers-one-core.ts';
import { noiseOf } from './record.ts';
import type { Trace } from './trace.ts';

const quality = { looks: 900, longestGap: 3, medianGap: 1, coreWait: 5, lateness: 1 };
const trace = { quality, blind: {}, inside: [] as Trace['inside'] } as Trace;

test('the gate lets a quiet recording pass, and says what is wrong with a noisy one', () => {
  expect(noiseOf(trace, halfALine)).toEqual([]);
  const noisy = { ...trace, quality: { ...quality, longestGap: 247, coreWait: 300, lateness: 40 } };
  expect(noiseOf(noisy, halfALine)).toEqual([
    '247 ms between two looks',
    'a step was 40 ms late',
    'threads waited 300 ms for a core',
  ]);
  expect(noiseOf({ ...trace, blind: { tasks: 'no permission' } }, halfALine)).toEqual([
    'blind: no permission',
  ]);
});

test('where chance decides what there is to see, the gate wants it to be there', () => {
  const worker = (id: string) => ({ id, kind: 'process', t: 0 });
  const held = (client: string, by: string) => ({ t: 1, fact: 'holder', client, tasks: [by] });
  const killed = { t: 700, who: 'server', did: 'signal' };
  const played = (holders: string) =>
    ({
      ...trace,
      tasks: [worker('2'), worker('3'), { ...worker('4'), t: 800 }],
      facts: [...'ABCD'].map((client, i) => held(client, holders[i] ?? '')),
      events: [killed],
    }) as unknown as Trace;
  expect(noiseOf(played('2322'), killAWorker)).toEqual([]);
  expect(noiseOf(played('2222'), killAWorker)).toEqual(['no clients in more than one process']);
});

test('where two threads share one core, one may wait for the other, and for nobody else', () => {
  const inside = [
    { t: 100, task: '1', line: 'A1' },
    { t: 101, task: '2', line: 'B1' },
    { t: 400, task: '1' },
    { t: 405, task: '2' },
  ];
  const busy = { ...trace, quality: { ...quality, coreWait: 300 } };
  expect(noiseOf({ ...busy, inside }, twoWorkersOneCore)).toEqual([]);
  expect(noiseOf({ ...busy, inside: inside.slice(0, 1) }, twoWorkersOneCore)).toEqual([
    'threads waited 300 ms for a core',
  ]);
});

test('where a crowd of threads is what the lesson is about, they may wait for each other', () => {
  const busy = { ...trace, quality: { ...quality, coreWait: 9000 } };
  expect(noiseOf(busy, { ...halfALine, crowdsCores: true })).toEqual([]);
});

test('a flood may keep both cores busy, and no more than that', () => {
  expect(noiseOf({ ...trace, quality: { ...quality, coreWait: 300 } }, aFlood)).toEqual([]);
  expect(noiseOf({ ...trace, quality: { ...quality, coreWait: 900 } }, aFlood)).toEqual([
    'threads waited 900 ms for a core',
  ]);
});
