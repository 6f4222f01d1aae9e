/** What the forms mean, for those that a picture has. */
import { CROWD, type Story, total } from './story.ts';
import { escapeMarkup } from './text.ts';

interface Item {
  readonly words: string;
  /** What is drawn, in a box of 26 by 16. */
  readonly form: string;
  readonly isIn: (story: Story) => boolean;
}

/** A form that is narrower than a share of the picture is not looked up. */
const isWide = ({ from, to }: { from: number; to: number }, { duration }: Story) =>
  to - from > duration / 200;

const someTask = (kind: string) => (story: Story) =>
  story.tasks.some(({ segments }) =>
    segments.some((one) => one.kind === kind && isWide(one, story)),
  );
const someClient = (where: string) => (story: Story) =>
  story.clients.some(({ segments }) =>
    segments.some((one) => one.where === where && isWide(one, story)),
  );
/** In a crowd nothing is that small. */
const fewClients = ({ clients }: Story) => clients.length <= CROWD;

const box = (form: string) =>
  `<rect class="${form}" x="1.5" y="1.5" width="23" height="13" rx="2.5"/>`;

const items: readonly Item[] = [
  { words: 'a line is sent', form: '<path class="sent" d="M9 4h8l-4 7z"/>', isIn: fewClients },
  { words: 'its echo comes', form: '<path class="echo" d="M9 12h8l-4 -7z"/>', isIn: fewClients },
  {
    words: 'stuck in the kernel: client not accepted, or bytes not read',
    form: box('bar backlog'),
    isIn: (story) => someClient('backlog')(story) || someClient('unread')(story),
  },
  { words: 'line in the server’s hands', form: box('bar server'), isIn: someClient('server') },
  { words: 'half a line', form: box('bar partial'), isIn: someClient('partial') },
  {
    words: 'bytes in the kernel’s buffers',
    form: '<rect class="bytes bytes-3" x="1" y="1" width="24" height="14"/>',
    isIn: ({ clients }) => clients.some(({ buffers }) => buffers.some((one) => total(one) > 0)),
  },
  { words: 'server waits for this client only', form: box('task one'), isIn: someTask('one') },
  {
    words: 'server waits for whoever comes first',
    form: box('task any anybody'),
    isIn: someTask('any'),
  },
  {
    words: 'thread sleeps, watching no client',
    form: box('task sleeps anybody'),
    isIn: someTask('sleeps'),
  },
  { words: 'thread has nothing to do', form: box('task idle anybody'), isIn: someTask('idle') },
  { words: 'computes this client’s line', form: box('task computes'), isIn: someTask('computes') },
  {
    words: 'answers this client',
    form: '<path class="answer" d="M13 0v16"/>',
    isIn: ({ tasks }) => tasks.some(({ echoes }) => echoes.length > 0),
  },
  { words: 'runs', form: box('task runs anybody'), isIn: someTask('runs') },
  {
    words: 'ready, but no core is free',
    form: box('starved'),
    isIn: ({ tasks }) => tasks.some(({ starved }) => starved.some((one) => one.to - one.from > 8)),
  },
  {
    words: 'cannot be seen',
    form: box('task unknown anybody'),
    isIn: (story) =>
      someTask('unknown')(story) ||
      someClient('unknown')(story) ||
      story.tasks.some(({ unseen }) => unseen.length > 0),
  },
];

function legend(stories?: readonly Story[]): { words: string; svg: string }[] {
  return items
    .filter(({ isIn }) => stories?.some(isIn) ?? true)
    .map(({ words, form }) => ({
      words,
      svg: `<svg class="picture" width="26" height="16" viewBox="0 0 26 16" aria-hidden="true"><g class="client-1">${form}</g></svg>`,
    }));
}

/** Patterns that forms are filled with; once in each page, or in each picture that stands alone. */
export const PATTERNS = `<defs><pattern id="starved" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="starved-ground" width="7" height="7"/><rect class="starved-stripe" width="3" height="7"/></pattern></defs>`;

/**
 * What forms mean, as the contents of something to open.
 *
 * @param stories - whose forms; absent: all that there are
 */
export function formsOf(stories?: readonly Story[]): string {
  const list = legend(stories).map(({ words, svg }) => `<li>${svg} ${escapeMarkup(words)}</li>`);
  return `<summary>What the forms mean</summary><ul class="legend">${list.join('')}</ul>`;
}
