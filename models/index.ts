/**
 * `npx tsx models` lists the models: each folder here with an `index.ts` is one, and the first sentence
 * of that file says what it is.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const names = readdirSync(here).filter((name) => existsSync(new URL(`${name}/index.ts`, here)));

/** The first sentence of the comment at the head of a file, without the model's name in front. */
function summaryOf(name: string): string {
  const source = readFileSync(new URL(`${name}/index.ts`, here), 'utf8');
  const [, block, lines] =
    /^(?:#!.*\n)?\s*(?:\/\*+([\s\S]*?)\*\/|((?:\/\/.*\n)+))/.exec(source) ?? [];
  const text = (block ?? lines ?? '')
    .replace(/^\s*(?:\*|\/\/)/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
  const [sentence = ''] = text.split(/(?<=[.!?]) /);
  return sentence.startsWith(`${name}: `) ? sentence.slice(name.length + 2) : sentence;
}

process.stdout.on('error', () => {}); // nobody reads it: `npx tsx models | true`
const asked = process.argv.slice(2).find((arg) => !arg.startsWith('-'));
if (asked === undefined) {
  const width = Math.max(...names.map(({ length }) => length));
  for (const name of names) process.stdout.write(`${name.padEnd(width)}  ${summaryOf(name)}\n`);
  process.stdout.write('\nStart one with npx tsx models/<name>; --help lists its options.\n');
} else {
  const isModel = names.includes(asked);
  const advice = isModel
    ? `start it with npx tsx models/${asked}`
    : `no model ${JSON.stringify(asked)}: there are ${names.join(', ')}`;
  process.stderr.write(`models: ${advice.replace(/\p{Cc}/gu, '?')}\n`);
  process.exitCode = 2;
}
