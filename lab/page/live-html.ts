/** The live page: three clients in your hands, and servers that run now. */
import type { Lesson } from '../lesson.ts';
import { formsOf, PATTERNS } from '../picture/legend.ts';
import { prose } from '../picture/text.ts';
import type { Bundle } from './bundle.ts';
import { fileOf, ONE_ECHO } from './html.ts';
import { CLIENTS } from './session.ts';
import { runningLines } from './source.ts';
import { summaryOf } from './summary.ts';
import { MOST_SERVERS } from './wishes.ts';

/** What a client can do, and the key for it. */
const ACTS = [
  { act: 'connect', key: 'c', words: 'Connect' },
  { act: 'line', key: 'l', words: 'A line' },
  { act: 'half', key: 'h', words: 'Half a line' },
  { act: 'rest', key: 'r', words: 'The rest' },
  { act: 'pause', key: 's', words: 'Stop reading' },
  { act: 'flood', key: 'f', words: 'Flood' },
  { act: 'reset', key: 'x', words: 'Reset' },
  { act: 'end', key: 'e', words: 'Leave' },
] as const;

export interface LiveParts {
  readonly bundle: Bundle;
  /** All servers that can be started. */
  readonly servers: readonly string[];
  readonly course: readonly Lesson[];
}

export function livePage({ bundle, servers, course }: LiveParts): string {
  const data = servers.map((name) => ({
    name,
    summary: summaryOf(name),
    lines: runningLines(name),
  }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>You are the clients · The lab</title>
<style>${bundle.style}</style>
</head>
<body>
<nav aria-label="Lessons">
<span class="small">The lab</span>
<details><summary>All lessons</summary><ol>${course.map((one) => `<li><a href="${fileOf(one, course)}">${prose(one.title)}</a></li>`).join('')}</ol></details>
<a href="${ONE_ECHO}">One echo, byte by byte</a>
</nav>
<main>
<h1 id="title">You are the clients</h1>
<p class="story">Every server below gets what you do here, at the same time. Connect Anna, send half a line, then connect Ben.</p>
<p class="now" id="status" role="status">Connecting to the lab…</p>
<section id="hands" aria-label="The clients">
${Object.entries(CLIENTS)
  .map(([id, name], i) => row(id, name, i))
  .join('')}
<p class="small">Keys: <kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> choose a client; the letter on a button does what the button says.</p>
</section>
<section class="figure" id="figure" aria-label="What happens">
<div class="above">
<p class="now" id="now"></p>
<div class="plot"><div id="script"></div><div class="cursor" hidden></div></div>
</div>
<details class="forms" id="forms">${formsOf()}</details>
<div id="cards"></div>
<svg class="guides" id="guides" aria-hidden="true"></svg>
<div class="cursor" hidden></div>
<p class="hidden-but-read" id="told" role="status" aria-live="polite"></p>
</section>
<section aria-label="The servers" class="chooser">
<fieldset><legend class="small">Servers to compare, ${MOST_SERVERS} at most</legend><div class="choices" id="chooser"></div></fieldset>
<div class="controls">
<label>A line costs <select id="cost"><option value="">nothing</option><option value="work">200&nbsp;ms of CPU</option><option value="wait">200&nbsp;ms of waiting</option></select></label>
<button type="button" id="begin">Begin anew</button>
</div>
</section>
<section aria-labelledby="keep-title">
<h2 id="keep-title">Keep what you did</h2>
<p>What you have done so far is a lesson of your own. Play it again on the same servers or on others, or keep it.</p>
<div class="controls">
<button type="button" id="again">Play it again</button>
<button type="button" id="link">Copy a link</button>
<button type="button" id="save">Save a file</button>
<label class="button">Open a file <input type="file" id="open" accept="application/json,.json" class="hidden-but-read"></label>
</div>
<p id="kept" role="status"></p>
</section>
</main>
<svg width="0" height="0" aria-hidden="true">${PATTERNS}</svg>
<script type="text/plain" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${bundle.script}</script>
</body>
</html>
`;
}

function row(id: string, name: string, i: number): string {
  const buttons = ACTS.map(
    ({ act, key, words }) =>
      `<button type="button" data-who="${id}" data-act="${act}" data-key="${key}" disabled><span>${words}</span> <kbd aria-hidden="true">${key}</kbd></button>`,
  );
  return `<div class="hand client-${i + 1}" data-who="${id}" role="group" aria-label="${name}"><strong><kbd aria-hidden="true">${i + 1}</kbd> ${name}</strong> ${buttons.join(' ')}</div>`;
}
