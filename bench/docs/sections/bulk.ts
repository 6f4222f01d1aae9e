import { figuresAt } from '../contest.ts';
import { isBetter } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'bulk', cell: 'bulk-50', measure: 'cpuPerLine' };

export const bulk: Section = {
  question: place.question,
  topic: 'Bytes in bulk',
  setup: '50 clients keep 64 lines of 1,009 bytes each on their way.',
  guess: 'How often is each byte copied on its way through the server?',
  mechanism:
    'Twice at least: recv(2) copies it out of the kernel, and send(2) back into it. The models on system calls receive up to half a megabyte in one call, into a buffer that they keep (`io-uring` 64 KiB, into one of 256), and send from there. Node reads at most 64 KiB at a time, into memory that it allocates for each read; `worker-threads` copies once more, into a buffer that it can hand over.',
  caution:
    'The window decides this figure: how many bytes a read finds depends on how many are on their way.',
  claims: [
    (book) => {
      const loops = ['poll-loop', 'epoll-loop', 'coroutines', 'io-uring'];
      const proven = loops.filter((id) => isBetter(book, place, id, 'events'));
      if (proven.length === 0) return undefined;
      return {
        heading: 'Few large reads move bytes with less CPU time than Node’s sockets',
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
