/**
 * What the tests said, in JSON.
 *
 *     node .ci/results.mjs failed FILE...    arguments for vitest that run what failed once more, one a line
 *     node .ci/results.mjs sum STATUS AGAIN FILE...    N passed, N failed
 *
 * `failed` exits with 1 where a second try would be no excuse: a file that did not run, or many failures.
 */
import { existsSync, readFileSync } from 'node:fs';

/** More than these are no matter of a machine that stopped for a second. */
const MOST_TRIED_AGAIN = 12;

const [what, ...rest] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const failuresIn = (file) => file.assertionResults.filter(({ status }) => status === 'failed');

if (what === 'failed') {
  const parts = rest.map(read);
  // Without a failed test it is something else that has failed.
  if (parts.some(({ numFailedTests }) => numFailedTests === 0)) process.exit(1);
  const all = parts.flatMap(({ testResults }) => testResults);
  const files = all.filter(({ status }) => status === 'failed');
  const names = files.flatMap(failuresIn).map(({ fullName }) => fullName);
  const haveAllRun = files.every((file) => failuresIn(file).length > 0);
  if (!haveAllRun || names.length === 0 || names.length > MOST_TRIED_AGAIN) process.exit(1);
  for (const name of new Set(files.map(({ name }) => name))) console.log(name);
  console.log(`--testNamePattern=^(${names.map(literally).join('|')})$`);
} else {
  const [status, again, ...files] = rest;
  const first = files.filter((file) => existsSync(file)).map(read);
  const sum = (key) => first.reduce((total, one) => total + one[key], 0);
  const failedFirst = sum('numFailedTests');
  const second = existsSync(again) ? read(again) : undefined;
  // Where nothing has passed, nothing was run again.
  const failed = second?.numPassedTests > 0 ? second.numFailedTests : failedFirst;
  const stillFailed = Number(status) === 0 ? failed : Math.max(1, failed);
  const passed = sum('numPassedTests') + Math.max(0, failedFirst - stillFailed);
  console.log(`${passed} passed, ${stillFailed} failed`);
  process.exitCode = stillFailed === 0 ? 0 : 1;
}

/** @returns a pattern that matches the text, and nothing else */
function literally(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
