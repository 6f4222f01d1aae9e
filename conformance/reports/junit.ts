/** JUnit's XML, as the servers that run builds read it: one suite for each server. */
import type { Report, Result } from '../report.ts';
import { escapeMarkup as xml } from './markup.ts';

export function junit({ servers, date }: Report): string {
  const suites = servers.map(({ name, results }) => {
    const count = (...outcomes: string[]) =>
      results.filter(({ outcome }) => outcomes.includes(outcome)).length;
    // A server that never came up has failed no check: nothing but skipped ones would be a lie.
    const neverCame = results.every(({ outcome }) => outcome === 'blocked');
    const errors = count('harness') + (neverCame ? results.length : 0);
    const skipped = count('known', 'unsupported', 'blocked') - (neverCame ? results.length : 0);
    const time = results.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    return [
      `  <testsuite name="${xml(name)}" tests="${results.length}" failures="${count('fail', 'stale')}" errors="${errors}" skipped="${skipped}" time="${time}" timestamp="${date}">`,
      ...results.map((result) => testCase(result, neverCame)),
      '  </testsuite>',
    ].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

function testCase(
  { id, level, outcome, message, cause, transcript, milliseconds, again }: Result,
  neverCame: boolean,
) {
  const [group = ''] = id.split('/');
  const open = `    <testcase classname="${level}.${group}" name="${id}" time="${milliseconds / 1000}"`;
  if (outcome === 'pass') return `${open}/>`;
  if (outcome === 'fail' || outcome === 'stale' || outcome === 'harness' || neverCame) {
    const tag = outcome === 'harness' || neverCame ? 'error' : 'failure';
    const told = [message, cause && `Likely cause: ${cause}`, `Again: ${again}`, transcript];
    return `${open}>\n      <${tag} message="${xml(message)}">${xml(told.filter(Boolean).join('\n'))}</${tag}>\n    </testcase>`;
  }
  return `${open}>\n      <skipped message="${xml(`${outcome}: ${message}`)}"/>\n    </testcase>`;
}
