/**
 * What a page needs of a recording, so that a lesson with many models stays a small file. The recording in
 * `lab/traces` keeps everything.
 */
import { total, WORTH_DRAWING } from '../picture/story.ts';
import type { BufferFact, Fact, Trace } from '../trace.ts';

/** No picture has more columns. */
const COLUMNS = 400;

/** A recording without CPU times, which nothing draws, and with at most one sample of a flood for each column. */
export function drawn(trace: Trace): Trace {
  const rest = trace.facts.filter(({ fact }) => fact !== 'cpu');
  const floods = new Set(rest.flatMap((fact) => (isMuch(fact) ? [fact.client] : [])));
  const column = ({ t }: Fact) => Math.floor((t / trace.duration) * COLUMNS);
  const kept: Fact[] = [];
  // By client: where its latest sample is among those kept.
  const latest = new Map<string, number>();
  for (const fact of rest) {
    const at = fact.fact === 'buffers' ? latest.get(fact.client) : undefined;
    const before = at === undefined ? undefined : kept[at];
    if (fact.fact !== 'buffers' || at === undefined || before?.fact !== 'buffers') {
      if (fact.fact === 'buffers') latest.set(fact.client, kept.length);
      kept.push(fact);
    } else if (floods.has(fact.client) && column(before) === column(fact)) {
      // The highest of a column is what one would see.
      if (total(fact) > total(before)) kept[at] = { ...fact, t: before.t };
    } else {
      latest.set(fact.client, kept.length);
      kept.push(fact);
    }
  }
  return { ...trace, facts: kept };
}

function isMuch(fact: Fact): fact is BufferFact {
  return fact.fact === 'buffers' && total(fact) >= WORTH_DRAWING;
}
