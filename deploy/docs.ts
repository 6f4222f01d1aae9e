/**
 * Writes the tables of docs/beyond-one-machine.md, from the newest file in deploy/results and the newest in
 * bench/results that has silent clients. The page names both files.
 *
 *     npx tsx deploy/docs.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Results } from './measure.ts';
import { type BenchResults, millionTable, tables } from './tables.ts';

const root = new URL('../', import.meta.url);
const PAGE = new URL('docs/beyond-one-machine.md', root);

/** Where the page names the files that its tables are from. */
const SOURCES = /^<!-- figures: deploy\/results\/(\S+) bench\/results\/(\S+) -->$/m;

/** The page as it should be, with the figures of the files that it names, or of the newest. */
export function page(useNewest: boolean): string {
  let text = readFileSync(PAGE, 'utf8');
  const [, ours, theirs] = SOURCES.exec(text) ?? [];
  const own = useNewest || !ours ? newest('deploy/results/') : ours;
  const bench = useNewest || !theirs ? newest('bench/results/', hasSilentClients) : theirs;
  const results = read('deploy/results/', own) as Results;
  const all = {
    ...tables(results),
    configuration: fenced(readFileSync(new URL('haproxy.cfg', import.meta.url), 'utf8')),
    million: millionTable(read('bench/results/', bench) as BenchResults, bench, results),
  };
  text = text.replace(SOURCES, `<!-- figures: deploy/results/${own} bench/results/${bench} -->`);
  for (const [name, table] of Object.entries(all)) text = between(text, name, table);
  return text;
}

function hasSilentClients(results: unknown): boolean {
  const idle = (results as BenchResults).questions?.find(({ id }) => id === 'idle');
  return idle?.cells.some(({ rounds }) => rounds.some((one) => one.figures.each9000)) ?? false;
}

/** The newest of a folder's results files: their names are their dates. @throws Error when there is none */
function newest(folder: string, isFit: (results: unknown) => boolean = () => true): string {
  const name = readdirSync(new URL(folder, root))
    .filter((each) => each.endsWith('.json'))
    .sort()
    .findLast((each) => isFit(read(folder, each)));
  if (!name) throw new Error(`there are no fitting results in ${folder}`);
  return name;
}

function read(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(new URL(folder + name, root), 'utf8'));
}

function fenced(text: string): string {
  return `\`\`\`haproxy\n${text}\`\`\``;
}

function between(text: string, name: string, table: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`the page has no place for: ${name}`);
  return `${text.slice(0, start + open.length)}\n\n${table}\n\n${text.slice(end)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(PAGE, page(true));
