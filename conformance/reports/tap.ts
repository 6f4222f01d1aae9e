/** Test Anything Protocol, version 14 (testanything.org). */
import type { Report } from '../report.ts';

export function tap({ servers }: Report): string {
  const all = servers.flatMap(({ name, results }) =>
    results.map((result) => ({ name, ...result })),
  );
  const lines = ['TAP version 14', `1..${all.length}`];
  for (const [i, { name, id, title, outcome, message, level }] of all.entries()) {
    // What is known to fail is a TODO of the server, in TAP's word; what says nothing is skipped.
    const isFine = ['pass', 'unsupported', 'blocked', 'harness'].includes(outcome);
    const directive = {
      known: ' # TODO ',
      unsupported: ' # SKIP ',
      blocked: ' # SKIP ',
      harness: ' # SKIP ',
    };
    const suffix = directive[outcome as keyof typeof directive];
    const reason = suffix ? suffix + oneLine(message) : '';
    lines.push(
      `${isFine ? 'ok' : 'not ok'} ${i + 1} - ${oneLine(`${name}: ${id}: ${title}`)}${reason}`,
    );
    if (outcome === 'fail' || outcome === 'stale') {
      lines.push('  ---', `  level: ${level}`, `  message: ${JSON.stringify(message)}`, '  ...');
    }
  }
  // A server that never came up has failed no check: a green list would be a lie.
  const silent = servers.find(({ results }) =>
    results.every(({ outcome }) => outcome === 'blocked'),
  );
  if (silent) lines.push(`Bail out! ${oneLine(`${silent.name}: ${silent.conclusion}`)}`);
  return `${lines.join('\n')}\n`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('#', '\\#');
}
