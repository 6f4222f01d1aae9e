import { busyClients, WORK } from '../../questions/work.ts';
import { figuresAt } from '../contest.ts';
import { isBetter } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'work', cell: 'work-1', measure: 'linesPerSecond' };
/** How many lines a core can compute in a second, when it does nothing else. */
const PER_CORE = 1000 / WORK;
/** The models with one thread that works. */
const SINGLE = ['epoll-loop', 'coroutines', 'events', 'async-await', 'rxjs', 'io-uring'];

export const work: Section = {
  question: place.question,
  topic: 'Lines that cost CPU time',
  setup: 'Each line costs 1 ms of CPU time (`--work 1`).',
  circumstances({ results }) {
    const { cores } = results.machine;
    const [one, all] = [1, cores].map((n) => (n * PER_CORE).toLocaleString('en-US'));
    return `So a core answers ${one} lines/s at most, and ${cores} cores ${all}. ${busyClients(cores)} clients keep two lines each on their way.`;
  },
  guess: 'Which of the models answer more such lines than the simplest loop?',
  mechanism:
    'While a thread computes, it serves nobody else, whatever it waits in: epoll_wait(2), io_uring_enter(2) or `await`. A pool, a cluster, and a thread or a process for each client compute on all cores at the same time. In `worker-threads` the next line goes to the first thread that is free; in `cluster` a client stays with its process, even while another one is idle.',
  caution:
    'More threads than cores do not compute faster. And servers that use all cores share them with the load generator.',
  claims: [
    (book) => {
      const base = 'poll-loop';
      const models = figuresAt(book, place).map(({ contestant }) => contestant);
      const faster = models.filter((id) => isBetter(book, place, id, base));
      const several = faster.filter((id) => book.isModel(id) && !SINGLE.includes(id));
      if (several.length === 0) return undefined;
      return faster.some((id) => SINGLE.includes(id))
        ? {
            heading:
              'When lines cost CPU time, several threads or processes answer more of them than one loop',
            about: several,
          }
        : {
            heading: 'When lines cost CPU time, only more threads or processes help',
            about: several,
          };
    },
  ],
  view(book) {
    const figures = figuresAt(book, place);
    if (figures.length === 0) return undefined;
    const { cores } = book.results.machine;
    const marks = [...new Set([1, cores])].map((n) => ({
      value: n * PER_CORE,
      words: n === 1 ? 'one core' : `${n} cores`,
    }));
    return { what: 'Lines answered, 1 ms of CPU time each', figures, marks };
  },
};
