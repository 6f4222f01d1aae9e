/** A question's answers as text, for the terminal. */
import { digits, type QuestionResults, type Results, summarize } from './results.ts';

/** One table for each cell: median, spread, and the ratio that is to be read. */
export function tables(question: QuestionResults, contestants: Results['contestants']): string {
  const parts = [`\n${question.title}`];
  for (const cell of question.cells) {
    for (const measure of question.measures) {
      const { unit, words } = measure;
      const rows = contestants.flatMap(({ id }) => {
        const summary = summarize(cell, id, measure.name, question.baseline);
        if (!summary) return [];
        const { median, min, max, ratio, limited, baselineLimited } = summary;
        const spread = `${digits(min)} to ${digits(max)}`;
        const who = [limited && id, baselineLimited && question.baseline].filter(Boolean);
        const mark =
          who.length > 0 ? `  the generator limited ${[...new Set(who)].join(', ')}` : '';
        return [[id, digits(median), spread, `${ratio?.toFixed(2) ?? ''}${mark}`]];
      });
      if (rows.length === 0) continue;
      const of = unit ? `${words}, ${unit}` : words;
      parts.push(`\n  ${cell.words}: ${of}`);
      parts.push(layout([['', 'median', 'spread', `ratio to ${question.baseline}`], ...rows]));
    }
  }
  return parts.join('\n');
}

/** Rows of four columns, the first and the last to the left. */
export function layout(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [first, second, third] = [width(0), width(1), width(2)];
  return rows
    .map(([name = '', median = '', spread = '', ratio = '']) => {
      const cells = [name.padEnd(first), median.padStart(second), spread.padStart(third), ratio];
      return `  ${cells.join('   ')}`.trimEnd();
    })
    .join('\n');
}
