import { figuresAt } from '../contest.ts';
import type { Book } from '../figures.ts';
import { isSteadyIn, isWorseIn } from '../proof.ts';
import type { Section } from '../section.ts';

const question = 'growth';
const measure = 'cpuPerLine';
const alone = { question, measure, cell: 'growth-0' };

/** The largest crowd of silent clients that was measured. */
function largest(book: Book) {
  const cell = book.cells(question).at(-1)?.id ?? '';
  return { place: { question, measure, cell }, silent: Number(cell.split('-').at(-1)) };
}

export const growth: Section = {
  question,
  topic: 'Clients who say nothing',
  setup: '50 clients are busy, as above. The others are connected and silent.',
  guess: 'Thousands of silent clients: does an echo for a busy one cost more? In which models?',
  mechanism:
    'At each wait, poll(2) passes the whole table to the kernel, the kernel checks every socket in it, and the loop looks through all entries. epoll(7), which Node uses, too, is told about a socket once, and returns only those that are ready.',
  caution: 'poll(2) is on every Unix, and epoll(7) on Linux only.',
  claims: [
    (book) => {
      const { place } = largest(book);
      if (!isWorseIn(book, place, alone.cell, 'poll-loop')) return undefined;
      const steady = isSteadyIn(book, place, alone.cell, 'epoll-loop');
      return {
        heading: steady
          ? 'One loop over poll(2) slows down with clients who say nothing; one over epoll(7) does not'
          : 'One loop over poll(2) slows down with clients who say nothing',
        about: steady ? ['poll-loop', 'epoll-loop'] : ['poll-loop'],
      };
    },
    (book) => {
      const { place, silent } = largest(book);
      const models = figuresAt(book, place).filter((each) => book.isModel(each.contestant));
      const areSteady = models.every((one) => isSteadyIn(book, place, alone.cell, one.contestant));
      if (models.length === 0 || silent === 0 || !areSteady) return undefined;
      return {
        heading: `${silent.toLocaleString('en-US')} silent clients cost no model here CPU time`,
        about: [],
      };
    },
  ],
  view(book) {
    const { place, silent } = largest(book);
    const figures = figuresAt(book, place);
    if (figures.length === 0 || !silent) return undefined;
    return {
      what: 'CPU time of the server for an echo, 50 busy clients',
      figures,
      before: figuresAt(book, alone),
      legend: { before: 'alone', now: `beside ${silent.toLocaleString('en-US')} silent clients` },
    };
  },
};
