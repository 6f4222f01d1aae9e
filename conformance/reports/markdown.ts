/** A table for a README. */
import type { Report } from '../report.ts';
import { MEANING, SIGN, tally } from './words.ts';

export function markdown({ servers, date, version, interrupted }: Report): string {
  const names = servers.map(({ name }) => cell(`\`${name}\``));
  const lines = [
    `| check | level | ${names.join(' | ')} |`,
    `| --- | --- | ${names.map(() => ':-:').join(' | ')} |`,
    ...(servers[0]?.results ?? []).map(({ id, level }, i) => {
      const signs = servers.map(({ results }) => SIGN[results[i]?.outcome ?? 'blocked']);
      return `| \`${id}\` | ${level} | ${signs.join(' | ')} |`;
    }),
    '',
    ...servers.map(
      ({ name, conclusion, results }) =>
        `- ${cell(`\`${name}\``)}: **${conclusion}** (${tally(results)})`,
    ),
    '',
    Object.entries(SIGN)
      .map(([outcome, sign]) => `${sign} ${MEANING[outcome as keyof typeof MEANING]}`)
      .join(' · '),
    '',
    `Version ${version}, ${date.slice(0, 10)}.${interrupted ? ' The run was interrupted.' : ''}`,
  ];
  return `${lines.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
