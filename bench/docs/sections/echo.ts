import { figuresAt } from '../contest.ts';
import { isBetter } from '../proof.ts';
import type { Section } from '../section.ts';

const place = { question: 'echo', cell: 'echo-50', measure: 'cpuPerLine' };

export const echo: Section = {
  question: 'echo',
  topic: 'CPU time for one echo',
  setup: '50 clients each send a line of 64 bytes, wait until it is back, and send the next.',
  guess:
    'For 1,000 echoes, a loop over epoll(7) makes some 2,020 system calls. How many does `io-uring` make?',
  mechanism:
    'A loop calls recv(2) and send(2) for each line, and shares a wait among all clients that are ready; `io-uring` carries the work of many clients in one call ([30 to 130](io-uring.md#system-calls-for-a-line) for 1,000 echoes). Node’s sockets make the calls of a loop, but each line also passes through a stream, its events and a callback: JavaScript, on the only thread. In `worker-threads` it goes to another thread and back: two messages, two wake-ups, one more copy; a thread or a process for each client is a wake-up for each line.',
  caution:
    'Most of this time is [the kernel’s TCP](io-uring.md#where-the-time-goes), which is the same for all, and a real server does more for each line.',
  claims: [
    (book) => {
      const beats = (a: string, b: string) => isBetter(book, place, a, b);
      if (!beats('io-uring', 'epoll-loop') || !beats('epoll-loop', 'events')) return undefined;
      return {
        heading:
          'An echo takes less CPU time over epoll(7) than on Node’s sockets, and over io_uring(7) less still',
        about: ['io-uring', 'epoll-loop', 'events'],
      };
    },
    (book) => {
      const loops = ['io-uring', 'epoll-loop', 'poll-loop'];
      const proven = loops.filter((id) => isBetter(book, place, id, 'events'));
      if (proven.length === 0) return undefined;
      return {
        heading: 'An echo takes less CPU time in a loop over system calls than on Node’s sockets',
        about: [...proven, 'events'],
      };
    },
    (book) =>
      isBetter(book, place, 'events', 'worker-threads')
        ? {
            heading: 'An echo that goes to another thread and back takes more CPU time',
            about: ['worker-threads', 'events'],
          }
        : undefined,
  ],
  view(book) {
    const figures = figuresAt(book, place);
    if (figures.length === 0) return undefined;
    return { what: 'CPU time of the server for an echo, 50 clients', figures };
  },
};
