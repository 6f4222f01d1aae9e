/** What nobody should conclude from the figures, and what one takes instead in other languages. */
import { MARGIN_IN_WORDS } from './contest.ts';

export const conclusions = [
  '- **That a loop over FFI is what to deploy.** It has no TLS, and a wrong address ends the process. With Node, deploy `node:net`: `events` or `async-await`, in a `cluster`.',
  '- **That the figures hold for a network.** A network has distance, loss and a network card, which cost every model the same.',
  '- **That your server differs as much.** The more a server does for each line, the less the models differ.',
  `- **Anything from less than ${MARGIN_IN_WORDS}**, or from the absolute figures of two runs: compare ratios within one run.`,
  '- **That C is a rival.** The C server is a yardstick: no options, no log, no orderly end.',
].join('\n');

const MAP = 'map.md#when-to-choose-which-and-what-it-is-called-elsewhere';

/** A language, what one takes there, and the model that waits in the same way. */
const languages: readonly (readonly [string, string, string])[] = [
  ['Node', '`node:net`, with callbacks or `await`', '`events`, `async-await`'],
  [
    'Go',
    'goroutines: they read like a thread for each client, and a poller resumes them',
    '`coroutines`',
  ],
  ['Rust', 'tokio', '`async-await`'],
  ['Python', 'asyncio', '`async-await`'],
  ['Java', 'virtual threads, or Netty', '`coroutines`, `events`'],
  ['C#', 'Kestrel', '`async-await`'],
  [
    'C',
    'libuv or libevent; or nginx in front, several processes with a loop each',
    '`epoll-loop`, `cluster`',
  ],
];

export const elsewhere = [
  `Each waits like a model here. The [map](${MAP}) has the sources.`,
  [
    '| you write | take | row of the map |',
    '| --- | --- | --- |',
    ...languages.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n'),
].join('\n\n');
