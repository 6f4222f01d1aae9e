/**
 * `npm pack` runs this first: translates what the package needs to JavaScript, into dist/. Node strips no types
 * from files under node_modules, so the sources alone would not run there.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', path.join(root, 'packaging')], {
  stdio: ['ignore', 2, 2], // standard output is npm's: the name of the tarball
});
// The compiler rewrites imports. Files that are found by URL are named here.
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.js')) continue;
  const whole = path.join(dist, file);
  const text = readFileSync(whole, 'utf8');
  writeFileSync(whole, text.replaceAll(/(new URL\(\s*(['"`])[^'"`]*)\.ts\2/g, '$1.js$2'));
}
// Programs read the version from the folder above theirs.
copyFileSync(path.join(root, 'package.json'), path.join(dist, 'package.json'));
for (const bin of ['conformance/index.js', 'packaging/line-echo-model.js'])
  chmodSync(path.join(dist, bin), 0o755);
