/** Where the pages of a run are written: the committed ones are drawn from the newest full run only. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Results, readResults } from '../results.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const RESULTS = path.join(root, 'bench/results');

/** What a full run has asked of whom. */
export interface Everything {
  readonly questions: readonly string[];
  readonly models: readonly string[];
}

/** Why a run is not drawn over the committed pages; undefined when it has everything. */
export function whatIsMissing(
  { options, questions, contestants }: Results,
  all: Everything,
): string | undefined {
  if (options.quick) return 'a quick run';
  if (contestants.some(({ kind }) => kind === 'command')) return 'a run with another server';
  const asked = questions.filter(({ cells }) => cells.length > 0).map(({ id }) => id);
  const question = all.questions.find((id) => !asked.includes(id));
  if (question) return `a run without the question ${question}`;
  const model = all.models.find((name) => !contestants.some(({ id }) => id === name));
  return model ? `a run without ${model}` : undefined;
}

/** The results files here, from the oldest to the newest: their names are their dates. */
function files(): string[] {
  const names = readdirSync(RESULTS).filter((each) => each.endsWith('.json'));
  return names.sort().map((name) => path.join(RESULTS, name));
}

/** The newest results file. @throws Error when there is none */
export function newest(): string {
  const file = files().at(-1);
  if (!file) throw new Error('there are no results in bench/results: npm run bench makes some');
  return file;
}

/** The folder that the pages of a run belong in, and why it is not `docs/`. */
export function targetOf(
  file: string,
  all: Everything,
): { readonly folder: string; readonly why?: string } {
  const beside = path.resolve(file).replace(/\.json$/, '') || file;
  const folder = beside === path.resolve(file) ? `${beside}.pages` : beside;
  const why = whatIsMissing(readResults(file), all);
  if (why) return { folder, why };
  const full = files().filter((each) => whatIsMissing(readResults(each), all) === undefined);
  return full.at(-1) === path.resolve(file)
    ? { folder: path.join(root, 'docs') }
    : { folder, why: 'not the newest full run in bench/results' };
}

/** A page for `docs/` as it reads in another folder: its links still lead into the repository. */
export function movedTo(folder: string, file: string, page: string): string {
  const from = path.join(root, 'docs');
  if (folder === from) return page;
  const relative = (to: string) => path.relative(folder, to).split(path.sep).join('/');
  return page.replace(/\]\(\.\.\/([^)]*)\)/g, (_, to: string) => {
    const isFile = to === `bench/results/${path.basename(file)}`;
    return `](${relative(isFile ? path.resolve(file) : path.join(root, to))})`;
  });
}
