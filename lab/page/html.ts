/** A lesson as a page: one file that needs nothing else. */
import { deflateRawSync } from 'node:zlib';
import type { Lesson } from '../lesson.ts';
import { PATTERNS } from '../picture/legend.ts';
import { ms, size } from '../picture/sentences.ts';
import { escapeMarkup as e, prose, unbroken } from '../picture/text.ts';
import { Seen } from '../seen.ts';
import type { Trace } from '../trace.ts';
import type { Bundle } from './bundle.ts';
import type { PageData, ServerData } from './data.ts';
import { drawn } from './drawn.ts';
import { findIfThere, runningLines } from './source.ts';
import { summaryOf } from './summary.ts';
import { MOST_SERVERS } from './wishes.ts';

/** What a page is made of. */
export interface Parts {
  readonly lesson: Lesson;
  /** All lessons of the course, in order. */
  readonly course: readonly Lesson[];
  /** A recording for each server; those that the lesson shows come first. */
  readonly traces: readonly Trace[];
  readonly bundle: Bundle;
  /** Where the live page is; absent where there is no server behind this page. */
  readonly live?: string;
  /** A server of one's own, which the live page can draw beside the models. */
  readonly own?: string;
}

/** The file that holds a lesson: the first one is what opens by itself. */
export function fileOf(lesson: Pick<Lesson, 'id'>, course: readonly Pick<Lesson, 'id'>[]): string {
  return lesson.id === course[0]?.id ? 'index.html' : `${lesson.id}.html`;
}

/** The file that follows one line through all models. */
export const ONE_ECHO = 'one-echo.html';

export function lessonPage({ lesson, course, traces, bundle, live, own }: Parts): string {
  const number = 1 + course.findIndex(({ id }) => id === lesson.id);
  const data = dataOf(lesson, traces);
  const next = course.find(({ id }) => id === lesson.next);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${bundle.policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${e(lesson.title)} · The lab</title>
<style>${bundle.style}</style>
</head>
<body>
<a class="skip" href="#question">To the question</a>
<nav aria-label="Lessons">
<span class="small">The lab · lesson ${number} of ${course.length}</span>
<details><summary>All lessons</summary><ol>${course.map((one) => item(one, lesson, course)).join('')}</ol></details>
<a href="${ONE_ECHO}">One echo, byte by byte</a>
${live ? `<a href="${live}">You are the clients (live)</a>` : ''}
</nav>
<main>
<h1>${prose(lesson.title)}</h1>
<p class="story">${prose(lesson.story)}</p>
<section id="question" aria-label="Question">
<p class="asks">${prose(lesson.question.asks)}</p>
<div id="guesses"></div>
<div class="reveal"><button type="button" class="main" id="reveal">Show what happened</button><strong id="score" role="status"></strong></div>
</section>
<section class="figure" id="figure" aria-label="What happened">
<div class="above">
<div class="controls after" hidden>
<button type="button" id="back" aria-label="Step back">◀ Step</button>
<button type="button" id="play">Play</button>
<button type="button" id="on" aria-label="Step on">Step ▶</button>
<input type="range" id="time" min="0" max="1" step="1" value="0" aria-label="Time">
<output id="clock" for="time">0</output>
</div>
<p class="now after" id="now" hidden></p>
<div class="plot"><div id="script"></div><div class="cursor" hidden></div></div>
</div>
<details class="forms after" id="forms" hidden></details>
<div id="cards"></div>
<svg class="guides" id="guides" aria-hidden="true"></svg>
<div class="cursor" hidden></div>
<p class="hidden-but-read" id="told" role="status" aria-live="polite"></p>
</section>
<fieldset class="chooser"><legend class="small">Servers to compare</legend><div class="choices" id="chooser"></div></fieldset>
<div class="after" hidden>
<p class="small keys"><kbd>←</kbd> <kbd>→</kbd> step from event to event, with <kbd>Shift</kbd> by 10&nbsp;ms; <kbd>Space</kbd> plays; drag in the picture to look around; click on a line of source to mark when that was so.</p>
<h2>Why</h2>
<ol class="explanation">${lesson.explanation.map(({ says }) => `<li>${prose(says)}</li>`).join('')}</ol>
<h2>What not to conclude</h2>
<p class="cures">“${prose(lesson.cures)}” That is not so. ${prose(lesson.instead)}</p>
${lesson.source.length > 0 ? '<h2>The lines that make the difference</h2>' : ''}
${lesson.source.map(sourceOf).join('')}
<h2>Try it</h2>
<p>${prose(lesson.exercise.task)}</p>
<details><summary>Answer</summary><p>${prose(lesson.exercise.answer)}</p></details>
${live ? `<p><a class="button" id="here" href="${e(`${live}#${hereAndNow(lesson, [...(own ? [own] : []), ...data.shows])}`)}">Play this lesson here and now</a></p>` : ''}
${next ? `<p class="next"><a class="button main" href="${fileOf(next, course)}">Next: ${prose(next.title)}</a></p>` : ''}
</div>
<noscript><p>The picture needs JavaScript.</p></noscript>
</main>
<footer class="small">${provenance(traces)}</footer>
<svg width="0" height="0" aria-hidden="true">${PATTERNS}</svg>
<script type="text/plain" id="data">${packed(data)}</script>
<script>${bundle.script}</script>
</body>
</html>
`;
}

function item(one: Lesson, current: Lesson, course: readonly Lesson[]): string {
  const here = one.id === current.id ? ' aria-current="page"' : '';
  return `<li><a href="${fileOf(one, course)}"${here}>${prose(one.title)}</a></li>`;
}

function sourceOf({ model, file, text, shows }: Lesson['source'][number]): string {
  const found = findIfThere({ file, text });
  if (!found) return '';
  const { number, code } = found;
  return `<div class="source"><p><strong>${e(model)}</strong>: ${prose(shows)}</p><pre tabindex="0"><code>${e(`${file}:${number}`)}\n${e(code)}</code></pre></div>`;
}

/** What the live page needs to know to play a lesson on some servers. */
function hereAndNow({ id, title }: Lesson, servers: readonly string[]): URLSearchParams {
  const shown = servers.slice(0, MOST_SERVERS).map((name): [string, string] => ['show', name]);
  return new URLSearchParams([['play', id], ['title', title], ...shown]);
}

/** The lesson and its recordings as the page's script reads them. */
export function dataOf(lesson: Lesson, traces: readonly Trace[]): PageData {
  return {
    id: lesson.id,
    clients: lesson.clients,
    script: lesson.script,
    asks: lesson.question.asks,
    choices: lesson.question.choices,
    figure: lesson.number.label,
    shows: lesson.shows.filter((name) => traces.some(({ model }) => model === name)),
    servers: traces.map((trace) => serverOf(lesson, trace)),
  };
}

function serverOf({ question, number }: Lesson, trace: Trace): ServerData {
  const seen = new Seen(trace);
  const answer = question.answer(seen);
  const value = number.of(seen);
  const isBad =
    number.badFrom !== undefined && (value ?? Number.POSITIVE_INFINITY) >= number.badFrom;
  return {
    name: trace.model,
    summary: summaryOf(trace.model),
    ...(answer === undefined ? {} : { answer }),
    number: {
      text: value === undefined ? number.none : inWords(value, number),
      is: number.badFrom === undefined ? 'plain' : isBad ? 'bad' : 'fine',
    },
    lines: runningLines(trace.model),
    trace: drawn(trace),
  };
}

function inWords(value: number, { unit }: Lesson['number']): string {
  if (unit === 'ms') return ms(value);
  if (unit === 'bytes') return size(value);
  // The label says what is counted.
  return String(value);
}

function packed(data: PageData): string {
  return deflateRawSync(JSON.stringify(data), { level: 9 }).toString('base64');
}

/** Where the recordings come from, and how far they can be trusted. */
function provenance(traces: readonly Trace[]): string {
  const [first] = traces;
  if (!first) return '';
  const { system, cpu, cores, node, commit } = first.machine;
  const looks = traces.map(({ quality }) => quality);
  const median = Math.max(...looks.map(({ medianGap }) => medianGap));
  const gap = Math.max(...looks.map(({ longestGap }) => longestGap));
  const where = [system, cpu, `${cores} cores`, `Node ${node}`].filter((part) => part !== '');
  return unbroken(
    `<p>Recorded${first.quality.recorded ? ` on ${e(first.quality.recorded)}` : ''} with real servers and real TCP on loopback: ${e(where.join(', '))}${commit ? `, commit ${e(commit)}` : ''}. A witness outside the server looked at /proc and at the kernel’s sockets every ${ms(median)} or more often, with gaps of up to ${ms(gap)}; what was shorter than that may be missing. Which line is computed is what the server itself reports.</p>`,
  );
}
