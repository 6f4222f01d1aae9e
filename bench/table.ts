/** A question's answers as text, for the terminal. */
import {
  type CellResults,
  digits,
  partsOf,
  type QuestionResults,
  type Results,
  summarize,
} from './results.ts';

/** One table for each cell: median, spread, and the ratio that is to be read. */
export function tables(question: QuestionResults, contestants: Results['contestants']): string {
  const parts = [`\n${question.title}`];
  if (question.note) parts.push(question.note);
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
        const figure = [id, digits(median), spread, `${ratio?.toFixed(2) ?? ''}${mark}`];
        return [[...figure, largestParts(cell, id, measure.name)]];
      });
      if (rows.length === 0) continue;
      const of = unit ? `${words}, ${unit}` : words;
      parts.push(`\n  ${cell.words}: ${of}`);
      const headings = ['', 'median', 'spread', `ratio to ${question.baseline}`];
      const haveParts = rows.some((row) => row[4]);
      parts.push(layout([haveParts ? [...headings, 'of which'] : headings, ...rows]));
    }
  }
  return parts.join('\n');
}

/** `recvfrom 1.00, sendto 1.00`; empty if the figure has no parts. What would be written as 0.00 is left out. */
function largestParts(cell: CellResults, contestant: string, measure: string): string {
  return partsOf(cell, contestant, measure)
    .slice(0, 3)
    .map(({ name, median }) => `${name} ${median.toFixed(2)}`)
    .filter((each) => !each.endsWith(' 0.00'))
    .join(', ');
}

/** Rows of four or five columns: the second and the third to the right, the others to the left. */
export function layout(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = [0, 1, 2, 3].map(width);
  return rows
    .map((row) => {
      const cells = row.map((text, i) =>
        i === 1 || i === 2 ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0),
      );
      return `  ${cells.join('   ')}`.trimEnd();
    })
    .join('\n');
}
