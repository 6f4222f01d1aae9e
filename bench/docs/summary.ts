/** The summary: how much more than the best model each model costs, one figure for each question. */
import { figuresAt, isLevel, type Place } from './contest.ts';
import type { Book, Figure } from './figures.ts';
import { ENOUGH_ROUNDS } from './proof.ts';
import { silentClient } from './sections/idle.ts';

export interface SummaryCell {
  readonly model: string;
  readonly column: number;
  /** How many times worse than the best model; undefined when not measured. */
  readonly factor: number | undefined;
  readonly isBest: boolean;
  /** As it is written. */
  readonly label: string;
}

export interface Summary {
  /** What the run has shown, in one sentence without its full stop. */
  readonly headline: string;
  /** The same in figures, for those who cannot see the picture. */
  readonly finding: string;
  readonly columns: readonly (readonly [string, string])[];
  readonly models: readonly string[];
  readonly cells: readonly SummaryCell[];
}

interface Column {
  readonly heading: readonly [string, string];
  figures(book: Book): Figure[];
}

const at = (question: string, cell: string, measure: string) => (book: Book) =>
  figuresAt(book, { question, cell, measure } satisfies Place);

const COLUMNS: readonly Column[] = [
  { heading: ['an echo,', 'CPU time'], figures: at('echo', 'echo-50', 'cpuPerLine') },
  {
    heading: ['beside', 'silent ones'],
    figures: (book) => at('growth', book.cells('growth').at(-1)?.id ?? '', 'cpuPerLine')(book),
  },
  {
    heading: ['memory of', 'a silent one'],
    figures: (book) => book.ids.flatMap((id) => silentClient(book, id) ?? []),
  },
  { heading: ['lines', 'that wait'], figures: at('wait', 'wait-50', 'linesPerSecond') },
  { heading: ['lines that', 'cost CPU'], figures: at('work', 'work-1', 'linesPerSecond') },
  {
    heading: ['connect,', 'then close'],
    figures: at('come-and-go', 'come-and-go', 'clientsPerSecond'),
  },
];

/** Undefined when the run has measured none of the columns for two models. */
export function summaryOf(book: Book): Summary | undefined {
  const measured = COLUMNS.flatMap(({ heading, figures }) => {
    const all = figures(book).filter(
      ({ contestant, median }) => book.isModel(contestant) && median > 0,
    );
    return all.length > 1 ? [{ heading, figures: all }] : [];
  });
  if (measured.length === 0) return undefined;
  const models = book.ids.filter((id) =>
    measured.some(({ figures }) => figures.some(({ contestant }) => contestant === id)),
  );
  const cells = measured.flatMap(({ figures }, column) => {
    const costs = new Map(figures.map((figure) => [figure.contestant, cost(figure)]));
    const least = Math.min(...costs.values());
    return models.map((model): SummaryCell => {
      const own = costs.get(model);
      const factor = own === undefined ? undefined : own / least;
      return { model, column, factor, isBest: isLevel(factor), label: times(factor) };
    });
  });
  const rounds = Math.min(...measured.flatMap(({ figures }) => figures.map((one) => one.rounds)));
  const columns = measured.map(({ heading }) => heading);
  return { ...told(models, cells, columns, rounds), columns, models, cells };
}

/** So that less is better in every column. */
function cost({ better, median }: Figure): number {
  return better === 'less' ? median : 1 / median;
}

/** `1.3`, `12`, `4,000` */
function times(factor: number | undefined): string {
  if (factor === undefined) return '–';
  if (factor < 9.95) return factor.toFixed(1);
  return Math.round(Number(factor.toPrecision(2))).toLocaleString('en-US');
}

function told(
  models: readonly string[],
  cells: readonly SummaryCell[],
  columns: readonly (readonly [string, string])[],
  rounds: number,
): Pick<Summary, 'headline' | 'finding'> {
  const wins = models.map((model) => ({
    model,
    count: cells.filter((cell) => cell.model === model && cell.isBest).length,
  }));
  const most = Math.max(...wins.map(({ count }) => count));
  const winners = wins.filter(({ count }) => count === most).map(({ model }) => model);
  const of = `${most} of ${columns.length}`;
  const who = winners.length > 2 ? `${winners.length} models` : winners.join(' and ');
  const be = winners.length > 1 ? 'are' : 'is';
  const finding = columns
    .map(([first, second], column) => {
      const here = cells.filter((cell) => cell.column === column);
      const best = here.find(({ factor }) => factor === 1);
      const level = here.filter(({ isBest }) => isBest).length - 1;
      const others = level > 0 ? ` and ${level} more` : '';
      return `${first} ${second} (${best?.model}${others})`;
    })
    .join('; ');
  const sentence = `The best: ${finding}.`;
  if (rounds < ENOUGH_ROUNDS) {
    return { headline: 'Too few rounds to say who is best', finding: sentence };
  }
  return most === columns.length
    ? { headline: `Best, or level with the best, in all ${most}: ${who}`, finding: sentence }
    : {
        headline: `No model is best at everything; ${who} ${be} among the best in ${of}`,
        finding: sentence,
      };
}
