/** `docs/map.md`: all models in one order, with where each comes from, what it costs, and when to choose it. */
import { isLevel } from '../contest.ts';
import { type Book, written, writtenRatio } from '../figures.ts';
import { type MapModel, models, type Price } from './models.ts';
import { finding } from './picture.ts';

const NOT_MEASURED = 'not measured yet';
const NO_MODEL = 'no model here yet';

/**
 * @param file - the results file's name, without its folder
 * @param here - the models that exist; the others have a row, but no link and no figure
 */
export function mapPage(book: Book, file: string, here: readonly string[]): string {
  const price = ({ name, price }: MapModel) =>
    here.includes(name) ? priceOf(book, name, price) : NO_MODEL;
  const titleOf = (name: string) =>
    here.includes(name) ? `[\`${name}\`](../models/${name})` : `\`${name}\``;
  const rows = (cells: (model: MapModel) => string[]) =>
    models.map((model) => `| ${titleOf(model.name)} | ${cells(model).join(' | ')} |`);
  return `# All ways to wait, on one map

A server waits most of the time: for a client, for bytes, for room to send. Two questions tell the models apart. Who
waits? And who tells it to go on?

![${finding(here)}](map.svg)

- **Nobody**: the program calls recv(2) and sleeps in it. A sleeper can wait for one client only. So there is one
  client at a time, or a sleeper for each.
- **Readiness**: the kernel says on which sockets something is possible, and the program then calls recv(2), which
  returns at once. One loop can wait for all clients. The rows differ in who writes the loop, and in what your own
  code looks like: a loop, callbacks, or a function for each client.
- **Completion**: the program hands over an operation in advance, and the kernel says when it has been done. One
  system call can hand over operations for many clients, and return the results of others.

## Where each comes from, and what it costs

From the simplest to the newest. The year is the one in which the mechanism, or the first well-known server that
is built so, appeared.

${[
  '| model | since | comes from, and is used by | its price, in one figure |',
  '| --- | --- | --- | --- |',
  ...rows((model) => [`${model.since}`, model.history, price(model)]),
].join('\n')}

The figures are from [one run of the bench](../bench/results/${file}); \`npm run bench:docs\` writes them here. Each
model has another figure, the one that shows its price best, so do not compare them down the column. In parentheses:
the ratio to \`pipe\`, bare \`node:net\` in the same run. [tradeoffs.md](tradeoffs.md) has the comparison.${
    models.some((model) => price(model) === NOT_MEASURED)
      ? ` "${NOT_MEASURED[0]?.toUpperCase()}${NOT_MEASURED.slice(1)}": that run did not ask this model, or not this question.`
      : ''
  }

## When to choose which, and what it is called elsewhere

${[
  '| model | choose it when | elsewhere |',
  '| --- | --- | --- |',
  ...rows(({ choose, elsewhere }) => [choose, elsewhere]),
].join('\n')}

## What not to conclude

- **Newer is not better.** PostgreSQL still has a process for each connection. A query that computes for a second
  delays no other client there, because the kernel divides the cores among the processes.
- **The look of the code does not say who waits.** Go's goroutines and Java's virtual threads read like
  \`thread-per-connection\`. But the runtime puts them aside, and resumes them when the kernel tells it to, as the
  scheduler of \`coroutines\` does.
- **Nor does the library.** libuv is told about readiness on Linux, and about completion on Windows. The same
  Node program runs on both.
- **The columns can be combined.** nginx is \`epoll-loop\` in each of several processes. A Go program has several
  threads that resume goroutines.
`;
}

/** "**0.72 KiB** (0.12) of memory for a silent client" */
function priceOf(book: Book, name: string, { question, cell, of, measure, words }: Price): string {
  if (of) {
    const share = book.quotient(question, measure, cell, of, name);
    if (share === undefined) return NOT_MEASURED;
    // Nobody gains by a crowd: what is more than all of it is the spread of the rounds.
    const left = isLevel(share) || share > 1 ? 'All' : `${Math.round(share * 100)} %`;
    return `**${left}** ${words}`;
  }
  const figure = book.figure(question, cell, measure, name);
  if (!figure) return NOT_MEASURED;
  const ratio = writtenRatio(figure);
  return `**${written(figure)}**${ratio ? ` (${ratio})` : ''} ${words}`;
}
