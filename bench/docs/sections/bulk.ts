import { figuresAt } from '../contest.ts';
import { isBetter } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'bulk', cell: 'bulk-50', measure: 'cpuPerLine' };

export const bulk: Section = {
  question: place.question,
  topic: 'Bytes in bulk',
  setup: 'Each of 50 clients keeps 64 lines of 1,009 bytes on their way.',
  guess: 'How often is each byte copied on its way through the server?',
  mechanism:
    'Twice at least: recv(2) copies it out of the kernel, and send(2) back into it. The loops over system calls receive much in one call (up to half a megabyte; `io-uring` 64 KiB), into a buffer that they keep, and send from there. Node reads at most 64 KiB at a time, into memory that it allocates for each read; `worker-threads` copies once more, into a buffer that it can hand over.',
  caution: 'The number of lines on their way decides this figure: with more, a read finds more.',
  claims: [
    (book) => {
      const loops = ['poll-loop', 'epoll-loop', 'coroutines', 'io-uring'];
      const proven = loops.filter((id) => isBetter(book, place, id, 'events'));
      if (proven.length === 0) return undefined;
      return {
        heading: 'In bulk, a loop with large reads takes less CPU time than Node’s sockets',
        about: [...proven, 'events'],
      };
    },
    (book) =>
      isBetter(book, place, 'pipe', 'snippet')
        ? {
            heading: 'Text in a string costs more CPU time than bytes in a buffer',
            about: ['pipe', 'snippet'],
          }
        : undefined,
  ],
  view(book) {
    const figures = figuresAt(book, place);
    if (figures.length === 0) return undefined;
    return { what: 'CPU time of the server for a line of 1,009 bytes', figures };
  },
};
