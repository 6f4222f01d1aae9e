/**
 * A program as plain JavaScript, for threads and processes that are started while clients wait. Node 20 runs no
 * TypeScript, and a thread that loads tsx to translate it starts six times as slowly, and is three times as
 * large.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** Here the program finds its libraries, and leaves no file where somebody would have to clear it away. */
const CACHE = new URL('../node_modules/.cache/line-echo-models/', import.meta.url);

/**
 * Translates a program into one file of JavaScript, with everything of this project that it imports.
 *
 * @param program - a URL of a file of TypeScript; a program that is JavaScript already is left as it is
 * @returns the URL of the JavaScript
 */
export function javascriptOf(program: URL): URL {
  if (!program.pathname.endsWith('.ts')) return program;
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(program)],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const [, folder, name] = /([^/]+)\/([^/]+)\.ts$/.exec(program.pathname) ?? [];
  const file = new URL(`${folder}-${name}-${hash}.mjs`, CACHE); // ps(1) shows it
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    // Another server may do the same at this moment: a rename puts the whole file there, or nothing.
    const part = new URL(`${file.href}.${process.pid}`);
    writeFileSync(part, code);
    renameSync(part, file);
  }
  return file;
}
