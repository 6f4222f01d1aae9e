import { figuresAt } from '../contest.ts';
import type { Book } from '../figures.ts';
import { isWithin } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'wait', cell: 'wait-50', measure: 'linesPerSecond' };

function idealOf({ results }: Book): number | undefined {
  const asked = results.questions.find(({ id }) => id === place.question);
  return asked?.measures.find(({ name }) => name === place.measure)?.ideal;
}

export const wait: Section = {
  question: place.question,
  topic: 'Lines that wait',
  setup: 'Each line of 50 clients waits 50 ms (`--wait 50`), as if for a database.',
  circumstances: ({ results }) =>
    `\`worker-threads\` and \`cluster\` had a worker for each of ${results.machine.cores} cores. \`blocking\` had one client.`,
  guess:
    '50 clients, 50 ms a line: how many lines a second are possible? And how many with a pool of two threads?',
  mechanism:
    'A loop notes when a line is due and goes on, so all 50 wait at the same time, without a thread. A thread that sleeps in place serves nobody else: a pool answers as many lines in 50 ms as it has threads (one for each core, by default), and `blocking` one. A thread or a process for each client sleeps in place as well, but only that client waits for it.',
  caution: 'A pool is not slow, it is small: with `--workers 50` it would wait for 50.',
  claims: [
    (book) => {
      const ideal = idealOf(book);
      const models = figuresAt(book, place).filter(({ contestant }) => book.isModel(contestant));
      if (!ideal) return undefined;
      const near = models.filter((one) => isWithin(one, ideal * 0.8, Number.POSITIVE_INFINITY));
      const far = models.filter((one) => isWithin(one, 0, ideal / 2));
      const farIds = far.map(({ contestant }) => contestant);
      if (near.length < 2 || !farIds.includes('worker-threads')) return undefined;
      if (!near.some(({ contestant }) => /loop|events/.test(contestant))) return undefined;
      return {
        heading: 'When lines wait, a pool is limited by its threads, and a loop is not',
        about: farIds,
      };
    },
    (book) => {
      const ideal = idealOf(book);
      const blocking = book.figure(place.question, place.cell, place.measure, 'blocking');
      if (!ideal || !isWithin(blocking, 0, ideal / 2)) return undefined;
      const all = figuresAt(book, place);
      if (!all.some((one) => isWithin(one, ideal * 0.8, Number.POSITIVE_INFINITY)))
        return undefined;
      return {
        heading: 'A server that sleeps in place answers one line at a time',
        about: ['blocking'],
      };
    },
  ],
  view(book) {
    const figures = figuresAt(book, place);
    if (figures.length === 0) return undefined;
    const ideal = idealOf(book);
    return {
      what: 'Lines answered, 50 clients, each line waits 50 ms',
      figures,
      ...(ideal ? { marks: [{ value: ideal, words: 'all 50 wait at once' }] } : {}),
    };
  },
};
