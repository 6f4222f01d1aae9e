import { figuresAt } from '../contest.ts';
import { isBetter } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'work', cell: 'work-1', measure: 'linesPerSecond' };
/** The models with one thread that works. */
const SINGLE = ['epoll-loop', 'coroutines', 'events', 'async-await', 'rxjs', 'io-uring'];

export const work: Section = {
  question: place.question,
  topic: 'Lines that cost CPU time',
  setup: 'Each line costs 1 ms of CPU time (`--work 1`), and there are more clients than cores.',
  guess: 'Which of the models answer more such lines than the simplest loop?',
  mechanism:
    'While a thread computes, it serves nobody else, whatever it waits in: epoll_wait(2), io_uring_enter(2) or `await`. A pool, a cluster, and a thread or a process for each client compute on all cores at the same time. In `worker-threads` the next line goes to the first thread that is free; in `cluster` a client stays with its process, even while another one is idle.',
  caution:
    'More threads than cores do not compute faster. And the load generator takes its CPU time from those with several.',
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
    return { what: 'Lines answered, 1 ms of CPU time each', figures };
  },
};
