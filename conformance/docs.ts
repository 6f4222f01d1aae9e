/** `npm run conformance:docs`: writes the tables of docs/conformance.md from the checks and the mutants, and the workflow. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { checks } from './checks/index.ts';
import { mutants } from './mutants/index.ts';

const PAGE = new URL('../docs/conformance.md', import.meta.url);

/** The page as it is, with the tables and the workflow file as they should be. */
export function page(): string {
  const text = readFileSync(PAGE, 'utf8');
  const workflow = readFileSync(new URL('../packaging/workflow.yml', import.meta.url), 'utf8');
  const parts = {
    checks: tableOfChecks(),
    'kill matrix': tableOfMutants(),
    workflow: `\`\`\`yaml\n${workflow}\`\`\``,
  };
  return Object.entries(parts).reduce((page, [name, part]) => between(page, name, part), text);
}

function tableOfChecks(): string {
  const killers = (id: string) =>
    Object.entries(mutants)
      .filter(([, caughtBy]) => caughtBy.includes(id))
      .map(([name]) => `\`${name}\``);
  return [
    '| check | level | what it means | the sentence behind it | mutants it catches |',
    '| --- | --- | --- | --- | --- |',
    ...checks.map(
      ({ id, level, title, sentence }) =>
        `| \`${id}\` | ${level} | ${title} | ${sentence} | ${killers(id).join(', ') || 'none: it measures'} |`,
    ),
  ].join('\n');
}

function tableOfMutants(): string {
  return [
    '| mutant | its defect | caught by |',
    '| --- | --- | --- |',
    ...Object.entries(mutants).map(
      ([name, caughtBy]) =>
        `| [\`${name}\`](../conformance/mutants/${name}.ts) | ${defectOf(name)} | ${caughtBy.map((id) => `\`${id}\``).join(', ')} |`,
    ),
  ].join('\n');
}

/** The comment that a mutant begins with. */
function defectOf(name: string): string {
  const source = readFileSync(new URL(`mutants/${name}.ts`, import.meta.url), 'utf8');
  return /^\/\*\* (.*) \*\/$/m.exec(source)?.[1] ?? '';
}

function between(text: string, name: string, table: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`docs/conformance.md has no place for: ${name}`);
  return `${text.slice(0, start + open.length)}\n${table}\n${text.slice(end)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(PAGE, page());
