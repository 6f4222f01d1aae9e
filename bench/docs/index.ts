/** `npm run bench:docs [FILE]`: draws docs/tradeoffs.md with its charts, and docs/map.md, from a results file. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelNames } from '../../conformance/models.ts';
import { readResults } from '../results.ts';
import { charts } from './charts.ts';
import { Book } from './figures.ts';
import { mapPage } from './map/page.ts';
import { picture } from './map/picture.ts';
import { page } from './page.ts';

const results = new URL('../results/', import.meta.url);
const docs = new URL('../../docs/', import.meta.url);

/** The newest file in bench/results: their names are their dates. */
function newest(): URL {
  const name = readdirSync(results)
    .filter((each) => each.endsWith('.json'))
    .sort()
    .at(-1);
  if (!name) throw new Error('there are no results in bench/results: npm run bench makes some');
  return new URL(name, results);
}

try {
  const [given, ...more] = process.argv.slice(2);
  if (more.length > 0 || given?.startsWith('-')) {
    console.error('bench:docs: takes one results file, or nothing for the newest in bench/results');
    process.exit(2);
  }
  const file = given ?? newest();
  const book = new Book(readResults(file));
  const drawn = charts(book);
  rmSync(new URL('charts/', docs), { recursive: true, force: true });
  mkdirSync(new URL('charts/', docs), { recursive: true });
  for (const { name, svg } of drawn) writeFileSync(new URL(`charts/${name}.svg`, docs), svg);
  const name = basename(typeof file === 'string' ? file : fileURLToPath(file));
  writeFileSync(new URL('tradeoffs.md', docs), page(book, drawn, name));
  writeFileSync(new URL('map.md', docs), mapPage(book, name, modelNames()));
  writeFileSync(new URL('map.svg', docs), picture(modelNames()));
  console.log(`docs/tradeoffs.md and ${drawn.length} charts, and docs/map.md, from ${name}`);
} catch (error) {
  console.error(`bench:docs: ${(error as Error).message}`);
  process.exitCode = 1;
}
