import { figuresAt } from '../contest.ts';
import { isBetter } from '../proof.ts';
import type { Section } from '../section.ts';

const place = {
  question: 'come-and-go',
  cell: 'come-and-go',
  measure: 'clientsPerSecond',
};

export const comeAndGo: Section = {
  question: place.question,
  topic: 'Clients that come and go',
  setup: 'Clients connect, send one line, get it back, and close; then the next one comes.',
  guess: 'How many such clients a second, if each one gets a process?',
  mechanism:
    'Each client costs an accept(2) and a close(2), and the kernel the set-up and teardown of TCP. Node also constructs a socket with its streams, and collects them afterwards; `process-per-connection` starts a whole Node, which takes tens of milliseconds of CPU time. All processes of `cluster` here accept from one listener (SCHED_NONE, not Node’s default), so a new client [wakes every idle one](beyond-one-machine.md#8-on-one-machine-who-gets-the-next-client).',
  caution: 'A process made with fork(2), in C, is far cheaper than one that starts Node.',
  claims: [
    (book) => {
      const id = 'process-per-connection';
      const loops = ['poll-loop', 'epoll-loop', 'events'].filter((one) =>
        isBetter(book, place, one, id),
      );
      const [first] = loops;
      const factor = first && book.ratio(place.question, place.cell, place.measure, first, id);
      if (!first || !factor || factor < 10) return undefined;
      return {
        heading:
          'When clients come and go, starting a process for each costs more than everything else',
        about: [id],
      };
    },
    (book) => {
      const [best] = ['poll-loop', 'epoll-loop', 'io-uring'].filter((id) =>
        isBetter(book, place, id, 'events'),
      );
      if (!best) return undefined;
      return {
        heading: 'A new client takes more on Node’s sockets than in a loop over system calls',
        about: [best, 'events'],
      };
    },
  ],
  view(book) {
    const figures = figuresAt(book, place);
    if (figures.length === 0) return undefined;
    return { what: 'Clients that connect, get one echo, and close', figures };
  },
};
