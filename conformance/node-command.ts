/** How Node is told to run a TypeScript program of this project. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root, or that of its translation. */
const root = path.resolve(fileURLToPath(new URL('..', import.meta.url)));

/**
 * Names, in the environment, the project's root and the folder where all its programs stand translated to
 * JavaScript, as `PATH` does with its folders. Only the tests set it (vitest.global-setup.ts).
 */
export const TRANSLATION = 'LINE_ECHO_TRANSLATION';

/** Whether this is the package that was installed: everything in it is JavaScript. */
export const isInstalled = import.meta.url.includes('/node_modules/');

/** In which way a program is run. */
export interface Manner {
  /** A module that Node loads first, in every thread of it. */
  readonly preload?: string | undefined;
  /** Under tsx, as users run it, even where there is a translation. */
  readonly tsx?: boolean | undefined;
}

/**
 * The command that runs a program: under tsx, or without it where the program was translated before, which
 * saves every start 150 to 250 ms of CPU. It wants the project's root as its working directory.
 *
 * @param program - the path from the project's root of a file, or of a folder with an `index.ts`
 */
export function nodeCommand(program: string, { preload, tsx = false }: Manner = {}): string[] {
  const translated = tsx ? undefined : translationOf(program);
  const imports = preload === undefined ? [] : [preload];
  if (translated === undefined) imports.push('tsx');
  return [process.execPath, ...imports.flatMap((one) => ['--import', one]), translated ?? program];
}

/** The JavaScript of a program; undefined where there is none. */
function translationOf(program: string): string | undefined {
  const [source, translation] =
    process.env[TRANSLATION]?.split(path.delimiter) ?? (isInstalled ? [root, root] : []);
  // A copy of the project that is run with the same environment is not what was translated.
  if (!source || !translation || ![source, translation].includes(root)) return undefined;
  const file = path.join(translation, path.relative(source, path.resolve(source, program)));
  return [file.replace(/\.ts$/, '.js'), path.join(file, 'index.js')].find(
    (one) => one.endsWith('.js') && existsSync(one),
  );
}
