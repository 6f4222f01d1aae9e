/** `docs/map.svg`: who waits, and who tells it to go on. Drawn so that it can be read at 400 pixels, too. */
import type { Teller } from './models.ts';

/** A model in its place, or other servers that stand where no model does. */
interface Entry {
  readonly model?: string;
  /** The system call or the keyword in which it waits. */
  readonly where?: string;
  readonly known: string;
}

interface Row {
  readonly who: readonly string[];
  readonly cells: Partial<Record<Teller, readonly Entry[]>>;
}

const ROWS: readonly Row[] = [
  {
    who: ['the process,', 'for one client', 'at a time'],
    cells: { nobody: [{ model: 'blocking', where: 'recv(2)', known: 'PHP’s own server' }] },
  },
  {
    who: ['a process', 'for each client'],
    cells: {
      nobody: [{ model: 'process-per-connection', where: 'recv(2)', known: 'inetd, PostgreSQL' }],
    },
  },
  {
    who: ['a thread', 'for each client'],
    cells: {
      nobody: [{ model: 'thread-per-connection', where: 'recv(2)', known: 'MySQL, Java' }],
    },
  },
  {
    who: ['a few processes,', 'all for the', 'same port'],
    cells: {
      nobody: [{ known: 'Apache’s prefork' }],
      readiness: [{ model: 'cluster', where: 'each in its loop', known: 'nginx’s workers' }],
    },
  },
  {
    who: ['one loop,', 'for all clients'],
    cells: {
      readiness: [
        { model: 'poll-loop', where: 'poll(2)', known: 'Squid' },
        { model: 'epoll-loop', where: 'epoll_wait(2)', known: 'nginx, Redis' },
      ],
      completion: [{ model: 'io-uring', where: 'io_uring_enter(2)', known: 'TigerBeetle' }],
    },
  },
  {
    who: ['one loop;', 'a pool of', 'threads works'],
    cells: {
      readiness: [{ model: 'worker-threads', known: 'Apache’s event' }],
    },
  },
  {
    who: ['one loop', 'that calls your', 'functions'],
    cells: {
      readiness: [
        { model: 'events', known: 'Node' },
        { model: 'rxjs', known: 'WebFlux' },
      ],
      completion: [{ known: 'Node on Windows' }],
    },
  },
  {
    who: ['each client’s', 'own function; a', 'loop resumes it'],
    cells: {
      readiness: [
        { model: 'coroutines', where: 'yield', known: 'OpenResty, Go' },
        { model: 'async-await', where: 'await', known: 'tokio, asyncio' },
      ],
    },
  },
];

const COLUMNS: readonly {
  readonly teller: Teller;
  readonly head: string;
  readonly says: string;
}[] = [
  { teller: 'nobody', head: 'Nobody', says: 'the call blocks' },
  { teller: 'readiness', head: 'Readiness', says: '“you can receive”' },
  { teller: 'completion', head: 'Completion', says: '“it is received”' },
];

/** The models that have a place in the picture. */
export const placed: readonly string[] = ROWS.flatMap(({ cells }) =>
  Object.values(cells).flatMap((entries) => entries.flatMap(({ model }) => model ?? [])),
);

/**
 * The alternative text: what the picture shows.
 *
 * @param here - the models that exist; of the others only the well-known servers are shown
 */
export function finding(here: readonly string[]): string {
  const said = (teller: Teller) => {
    const entries = ROWS.flatMap(({ cells }) => (cells[teller] ?? []).map(shownIf(here)));
    const own = entries.flatMap(({ model }) => model ?? []).join(', ');
    const others = entries.flatMap(({ model, known }) => (model ? [] : [known])).join(', ');
    return others ? `${own}; elsewhere ${others}` : own;
  };
  return `Who waits, and who tells it to go on. Nobody, the call blocks: ${said('nobody')}. There a client that waits keeps a whole process or thread waiting. Readiness, a loop is told which sockets can be used: ${said('readiness')}. Completion, the loop is told what has been done: ${said('completion')}.`;
}

/** An entry as it is shown: without its model, if there is none. */
function shownIf(here: readonly string[]): (entry: Entry) => Entry {
  return (entry) =>
    entry.model === undefined || here.includes(entry.model) ? entry : { known: entry.known };
}

// Pixels.
const WIDTH = 640;
const MARGIN = 12;
const LABELS = 130;
const GAP = 6;
const COLUMN = (WIDTH - 2 * MARGIN - LABELS - 2 * GAP) / 3;
const HEAD = 84;
const LINE = 19;
const PAD = 9;

/** The grounds of the models on a light page. */
const CARD: Record<Teller, string> = {
  nobody: '#fff0e4',
  readiness: '#e6f0fd',
  completion: '#e2f6e8',
};

const LEGEND = [
  'Bold: a model of this project, the call in which it waits, and who else is built so.',
  'Dashed: well-known servers in places where this project has no model.',
];

/** The lines of one entry: a name that ends in `-connection` needs two. */
function linesOf({ model, where, known }: Entry): { words: string; kind: string }[] {
  const name = model?.replace(/-(?=connection$)/, '-\n').split('\n') ?? [];
  return [
    ...name.map((words) => ({ words, kind: 'name' })),
    ...(where ? [{ words: where, kind: 'where' }] : []),
    { words: known, kind: 'known' },
  ];
}

/** @param here - the models that exist */
export function picture(here: readonly string[]): string {
  const body: string[] = [];
  const text = (x: number, y: number, kind: string, words: string) =>
    body.push(`<text x="${x}" y="${y}" class="${kind}">${words}</text>`);
  const left = (column: number) => MARGIN + LABELS + column * (COLUMN + GAP);
  text(left(0), 28, 'ask', 'Who tells the sleeper to go on?');
  text(MARGIN, 56, 'ask', 'Who waits?');
  COLUMNS.forEach(({ teller, head, says }, i) => {
    text(left(i) + PAD, 56, `head ${teller}`, head);
    text(left(i) + PAD, 56 + LINE - 1, 'known', says);
  });
  let top = HEAD;
  for (const { who, cells } of ROWS) {
    const shown = COLUMNS.map(({ teller }) => (cells[teller] ?? []).map(shownIf(here)));
    const heights = shown.map(stacked);
    const height = Math.max(who.length * LINE + 2 * PAD, ...heights);
    body.push(`<path class="rule" d="M${MARGIN} ${top}H${WIDTH - MARGIN}"/>`);
    who.forEach((line, i) => {
      text(MARGIN, top + GAP + PAD + 15 + i * LINE, 'who', line);
    });
    COLUMNS.forEach(({ teller }, i) => {
      let y = top + GAP;
      for (const entry of shown[i] ?? []) {
        const [ground, fill] = entry.model ? [teller, CARD[teller]] : ['other', 'none'];
        body.push(
          `<rect x="${left(i)}" y="${y}" width="${COLUMN}" height="${heightOf(entry)}" rx="6" fill="${fill}" class="card ${ground}"/>`,
        );
        linesOf(entry).forEach(({ words, kind }, n) => {
          const colour = kind === 'name' ? `name ${teller}` : kind;
          text(left(i) + PAD, y + PAD + 14 + n * LINE, colour, words);
        });
        y += heightOf(entry) + GAP;
      }
    });
    top += height + 2 * GAP;
  }
  body.push(`<path class="rule" d="M${MARGIN} ${top}H${WIDTH - MARGIN}"/>`);
  LEGEND.forEach((line, i) => {
    text(MARGIN, top + 24 + i * LINE, 'known', line);
  });
  return frame(finding(here), top + 24 + LEGEND.length * LINE, body);
}

function heightOf(entry: Entry): number {
  return linesOf(entry).length * LINE + 2 * PAD - 2;
}

/** The height of all entries of a cell, one below the other. */
function stacked(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + heightOf(entry) + GAP, -GAP);
}

/** A document of its own, for light and dark pages. Where style sheets are not understood, the attributes hold. */
function frame(title: string, height: number, body: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" fill="#1f2328" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14">
<title>${title}</title>
<style>
  svg { --ground: #ffffff; --text: #1f2328; --quiet: #57606a; --rule: #d0d7de;
    --nobody: #9a3b06; --readiness: #1552a8; --completion: #12622f;
    --nobody-card: ${CARD.nobody}; --readiness-card: ${CARD.readiness}; --completion-card: ${CARD.completion}; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --text: #e6edf3; --quiet: #a3adb8; --rule: #30363d;
      --nobody: #ffab70; --readiness: #79b8ff; --completion: #6fdd8b;
      --nobody-card: #3a2213; --readiness-card: #14284a; --completion-card: #123320; }
  }
  text { fill: var(--text); }
  .ground { fill: var(--ground); }
  .rule { stroke: var(--rule); fill: none; }
  .ask { font-weight: 600; font-size: 15px; }
  .head, .name { font-weight: 700; font-size: 16px; }
  .where { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 13px; }
  .known { fill: var(--quiet); }
  .other { fill: none; stroke: var(--quiet); stroke-dasharray: 4 3; }
${COLUMNS.map(({ teller }) => `  text.${teller} { fill: var(--${teller}); }\n  .card.${teller} { fill: var(--${teller}-card); }`).join('\n')}
</style>
<rect width="100%" height="100%" rx="6" fill="#ffffff" class="ground"/>
${body.join('\n')}
</svg>
`;
}
