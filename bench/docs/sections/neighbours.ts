import { figuresAt } from '../contest.ts';
import { isBetter, isWorseIn } from '../proof.ts';
import type { Section } from '../section.ts';

const flood = { question: 'neighbours', cell: 'neighbours-flood', measure: 'p50' };
const alone = { ...flood, cell: 'neighbours-alone' };

export const neighbours: Section = {
  question: flood.question,
  topic: 'One client floods',
  setup: '20 clients send lines at a fixed rate; another one sends as much as it can.',
  guess: 'How much longer do the polite ones wait: not at all, twice, or fifty times as long?',
  mechanism:
    'A flood’s socket is always ready, so the others wait as long as one of its turns takes. A loop over system calls receives once, at most half a megabyte; libuv, Node’s event loop, reads 64 KiB, but up to 32 times in a row while each read is full. With a thread or a process for each client there are no turns: the kernel divides the cores.',
  caution:
    'A client that does not read, or does not end its line, soon stops waking the server: a full run measures both, in its table.',
  claims: [
    (book) => {
      const suffers = isWorseIn(book, flood, alone.cell, 'events');
      if (!suffers || !isBetter(book, flood, 'epoll-loop', 'events')) return undefined;
      return {
        heading: 'Beside a flood, the clients of Node’s sockets wait longer than those of a loop',
        about: ['events', 'epoll-loop'],
      };
    },
    (book) => {
      const suffering = book.ids.filter(
        (id) => book.isModel(id) && isWorseIn(book, flood, alone.cell, id),
      );
      if (suffering.length === 0) return undefined;
      return { heading: 'A flood makes other clients wait', about: suffering };
    },
  ],
  view(book) {
    const figures = figuresAt(book, flood);
    if (figures.length === 0) return undefined;
    const what = 'How long a polite client waits for an echo (median)';
    const before = figuresAt(book, alone);
    if (before.length === 0) return { what: `${what}, beside a flood`, figures };
    return { what, figures, before, legend: { before: 'alone', now: 'beside a flood' } };
  },
};
