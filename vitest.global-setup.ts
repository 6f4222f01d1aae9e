/**
 * Translates all programs once, before the first test: the tests start some seven hundred processes, and
 * tsx costs each of them more than the program itself. That they run under tsx as well is tested by
 * models/lifecycle.test.ts.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type PluginBuild, stop } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { TRANSLATION } from './conformance/node-command.ts';

const root = path.resolve(fileURLToPath(new URL('.', import.meta.url)));

export default async function setup(project: TestProject): Promise<void> {
  const translation = realpathSync(mkdtempSync(path.join(tmpdir(), 'line-echo-')));
  mkdirSync(path.join(translation, 'deploy'));
  for (const name of ['node_modules', 'package.json', 'deploy/haproxy.cfg']) {
    symlinkSync(path.join(root, name), path.join(translation, name));
  }
  process.once('exit', () => rmSync(translation, { recursive: true }));
  process.once('SIGTERM', () => process.exit(143));
  await translate(translation);
  stop(); // or its process stays until the last test
  project.onTestsRerun(() => translate(translation)); // vitest --watch
  process.env[TRANSLATION] = [root, translation].join(path.delimiter);
}

async function translate(translation: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: programs(),
    outdir: translation,
    outbase: root,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // One file for each program: a start reads and links some thirty modules otherwise, or two hundred of RxJS.
    bundle: true,
    external: dependencies().filter((name) => name !== 'rxjs'),
    plugins: [{ name: 'origin', setup: keepOrigin }],
  });
  for (const { path: file, text } of outputFiles) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text.replace(SPECIFIER, '$1.js$2'));
  }

  /** What a module finds beside itself it is to find there, whatever file it is bundled into. */
  function keepOrigin({ onLoad }: PluginBuild): void {
    onLoad({ filter: /\.[jt]s$/ }, ({ path: file }) => {
      const relative = path.relative(root, file);
      if (relative.startsWith('node_modules')) return undefined;
      const url = pathToFileURL(path.join(translation, relative.replace(/\.ts$/, '.js')));
      const text = readFileSync(file, 'utf8').replaceAll('import.meta.url', `'${url}'`);
      return { contents: text, loader: file.endsWith('.ts') ? 'ts' : 'js' };
    });
  }
}

/** Where a program names another file that it starts: `new URL("other.ts", …)`. */
const SPECIFIER = /(\bnew URL\("[^"\n]+)\.ts(")/g;

function dependencies(): string[] {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
}

/** All TypeScript and JavaScript files of the project but the tests. */
function programs(): string[] {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name))
    .map(({ name }) => name);
  return folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.join(folder, file),
      ),
    )
    .filter((file) => /(?<!\.test)\.[jt]s$/.test(file));
}
