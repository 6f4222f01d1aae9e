/**
 * What a page needs of a recording, so that a lesson with many models stays a small file. The recording in
 * `lab/traces` keeps everything.
 */
import { total, WORTH_DRAWING } from '../picture/story.ts';
import type { BufferFact, Fact, Trace } from '../trace.ts';

/** No picture has more columns. */
const COLUMNS = 400;

/**
 * A recording without CPU times, which nothing draws, and with at most two samples of a flood for each column: its
 * highest, and its last if nothing follows in the next column, so that it goes on being true.
 */
export function drawn(trace: Trace): Trace {
  const rest = trace.facts.filter(({ fact }) => fact !== 'cpu');
  const columnOf = ({ t }: Fact) => Math.floor((t / trace.duration) * COLUMNS);
  const columns = new Map<string, BufferFact[]>();
  const floods = new Set(rest.flatMap((fact) => (isMuch(fact) ? [fact.client] : [])));
  const ofFlood = (fact: Fact): fact is BufferFact =>
    fact.fact === 'buffers' && floods.has(fact.client);
  const key = (fact: BufferFact, column = columnOf(fact)) => `${column} ${fact.client}`;
  for (const fact of rest.filter(ofFlood)) {
    columns.set(key(fact), [...(columns.get(key(fact)) ?? []), fact]);
  }
  const facts = rest.flatMap((fact): Fact[] => {
    if (!ofFlood(fact)) return [fact];
    const samples = columns.get(key(fact)) ?? [];
    const highest = samples.reduce((most, one) => (total(one) > total(most) ? one : most));
    if (fact === samples[0]) return [{ ...highest, t: fact.t }];
    const isLasting = fact === samples.at(-1) && !columns.has(key(fact, columnOf(fact) + 1));
    return isLasting ? [fact] : [];
  });
  return { ...trace, facts };
}

function isMuch(fact: Fact): fact is BufferFact {
  return fact.fact === 'buffers' && total(fact) >= WORTH_DRAWING;
}
