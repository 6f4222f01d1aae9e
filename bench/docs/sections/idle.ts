import type { Book, Figure } from '../figures.ts';
import { isBetter, isWithin } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'idle', cell: 'idle' };
/** From the largest crowd to the smallest. */
const CROWDS = ['each9000', 'each1000', 'each50'];
const MIB = 1024;

/** What a silent client costs, in the largest crowd that the contestant has served. */
export function silentClient(book: Book, id: string): Figure | undefined {
  for (const measure of CROWDS) {
    const found = book.figure(place.question, place.cell, measure, id);
    if (found) return found;
  }
  return undefined;
}

export const idle: Section = {
  question: 'idle',
  topic: 'Memory for a silent client',
  setup: 'Clients send one line, get it back, and are silent from then on.',
  guess: 'What does a silent client cost: a hundred bytes, ten kilobytes, or ten megabytes?',
  mechanism:
    'In a loop, a silent client is an entry of a table and a few small objects, but no buffer, because one receive buffer serves all. On `node:net` it is a socket with two stream states, their listeners and a libuv handle. A thread here brings a heap of JavaScript and a stack, and a process a whole Node.',
  caution:
    'The kernel’s memory for a connection [comes on top](beyond-one-machine.md#9-a-million-clients-on-paper). And a thread in C, Go or Java is far smaller than one of Node.',
  claims: [
    (book) => {
      const heavy = ['thread-per-connection', 'process-per-connection'].filter((id) =>
        isWithin(silentClient(book, id), MIB, Number.POSITIVE_INFINITY),
      );
      const light = ['epoll-loop', 'poll-loop', 'events'].filter((id) =>
        isWithin(silentClient(book, id), Number.NEGATIVE_INFINITY, MIB / 32),
      );
      if (heavy.length === 0 || light.length === 0) return undefined;
      const [first = ''] = heavy;
      const who = heavy.length > 1 ? 'thread or process' : (first.split('-')[0] ?? '');
      return {
        heading: `A ${who} for each client costs megabytes, a client in a loop kilobytes at most`,
        about: [...heavy, ...light],
      };
    },
    (book) => {
      const loops = ['epoll-loop', 'poll-loop'];
      const proven = loops.filter((id) =>
        CROWDS.some((measure) => isBetter(book, { ...place, measure }, id, 'events')),
      );
      if (proven.length === 0) return undefined;
      return {
        heading:
          'A silent client takes more memory on Node’s sockets than in a loop over system calls',
        about: [...proven, 'events'],
      };
    },
  ],
  view(book) {
    const figures = book.ids.flatMap((id) => silentClient(book, id) ?? []);
    if (figures.length === 0) return undefined;
    return { what: 'Memory for each silent client', figures };
  },
};
