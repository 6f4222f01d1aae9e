/**
 * `npm run bench:docs [FILE]`: draws the pages of what each model costs, of io_uring beside epoll, their charts and
 * the map from a results file.
 * The newest full run is drawn into docs/, any other one beside its file.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { escapeBytes } from '../../client/escape.ts';
import { modelNames } from '../../conformance/models.ts';
import { readResults } from '../results.ts';
import { charts } from './charts.ts';
import { Book } from './figures.ts';
import { ioUringPage } from './io-uring/page.ts';
import { mapPage } from './map/page.ts';
import { picture } from './map/picture.ts';
import { page } from './page.ts';
import { sections } from './sections/index.ts';
import { movedTo, newest, targetOf } from './target.ts';

function drawAll(file: string): string {
  const models = modelNames();
  const everything = { models, questions: sections.map(({ question }) => question) };
  const book = new Book(readResults(file));
  const { folder, why } = targetOf(file, everything);
  const name = path.basename(file);
  const drawn = charts(book);
  const write = (to: string, text: string) => writeFileSync(path.join(folder, to), text);
  rmSync(path.join(folder, 'charts'), { recursive: true, force: true });
  mkdirSync(path.join(folder, 'charts'), { recursive: true });
  for (const { name, svg } of drawn) write(`charts/${name}.svg`, svg);
  write('tradeoffs.md', movedTo(folder, file, page(book, drawn, name)));
  write('io-uring.md', movedTo(folder, file, ioUringPage(book, name)));
  write('map.md', movedTo(folder, file, mapPage(book, name, models)));
  write('map.svg', picture(models));
  const where = path.relative('.', folder) || '.';
  const because = why ? ` (${why}: docs/ is left as it is)` : '';
  return `${where}/tradeoffs.md, io-uring.md and map.md, with ${drawn.length} charts, from ${name}${because}`;
}

const [given, ...more] = process.argv.slice(2);
if (more.length > 0 || given?.startsWith('-')) {
  console.error('bench:docs: takes one results file, or nothing for the newest in bench/results');
  process.exitCode = 2;
} else {
  try {
    console.log(drawAll(given ?? newest()));
  } catch (error) {
    console.error(`bench:docs: ${escapeBytes(Buffer.from((error as Error).message))}`);
    process.exitCode = 1;
  }
}
