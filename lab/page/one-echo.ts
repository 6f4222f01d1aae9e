/** The page that follows one line through every model, byte by byte. It needs no script. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Lesson } from '../lesson.ts';
import {
  bytesOf,
  type Explained,
  explained,
  type Framing,
  type OneEcho,
} from '../one-echo/path.ts';
import { escapeMarkup as e, prose, unbroken } from '../picture/text.ts';
import { styleOf } from './bundle.ts';
import { fileOf } from './html.ts';
import { summaryOf } from './summary.ts';

const RECORDINGS = new URL('../one-echo/recordings/', import.meta.url);
const ROOT = new URL('../../', import.meta.url);

/** The echoes that were followed, by model: those with the fewest steps first. */
export function echoes(): OneEcho[] {
  return readdirSync(RECORDINGS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(new URL(file, RECORDINGS), 'utf8')) as OneEcho)
    .sort((a, b) => a.steps.length - b.steps.length || a.model.localeCompare(b.model));
}

/**
 * The line in which a model finds the end of a line: its own, or one of a folder that it shares with other
 * models. Undefined unless there is just one.
 */
export function framingOf(model: string): Framing | undefined {
  const own = sourcesIn(`models/${model}`);
  const shared = new Set(
    own.flatMap(({ text }) =>
      [...text.matchAll(/from '\.\.\/\.\.\/([\w-]+-net)\//g)].map(([, name = '']) => name),
    ),
  );
  const found = framingsIn(own);
  const all = found.length > 0 ? found : [...shared].flatMap((name) => framingsIn(sourcesIn(name)));
  return all.length === 1 ? all[0] : undefined;
}

interface SourceFile {
  /** From the project's root. */
  readonly file: string;
  readonly text: string;
}

function sourcesIn(name: string): SourceFile[] {
  const folder = new URL(`${name}/`, ROOT);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !/^core\.ts$|\.test\.ts$/.test(file))
    .map((file) => ({
      file: `${name}/${file}`,
      text: readFileSync(new URL(file, folder), 'utf8'),
    }));
}

function framingsIn(files: readonly SourceFile[]): Framing[] {
  return files.flatMap(({ file, text }) =>
    text
      .split('\n')
      .flatMap((line, i) =>
        /framer\.(frame|push)\(/i.test(line) ? [{ file, number: i + 1, code: line.trim() }] : [],
      ),
  );
}

export async function oneEchoPage(
  course: readonly Lesson[],
): Promise<{ page: string; policy: string }> {
  const { style, policy } = await styleOf();
  const all = echoes();
  const [first] = all;
  const bytes = first ? bytesOf(first.line) : [];
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>One echo, byte by byte · The lab</title>
<style>${style}</style>
</head>
<body>
<nav aria-label="Lessons">
<span class="small">The lab</span>
<details><summary>All lessons</summary><ol>${course.map((one) => `<li><a href="${fileOf(one, course)}">${prose(one.title)}</a></li>`).join('')}</ol></details>
</nav>
<main>
<h1>One echo, byte by byte</h1>
<p class="story">A client sends one line of ${bytes.length}&nbsp;bytes. This is its way through each model: every segment, every system call that has to do with it, and what each means.</p>
<p>These are the bytes, in hexadecimal and as people write them:</p>
<ol class="bytes-explained">${bytes.map(({ hex, shown, is }) => `<li>${chip(hex, shown)} ${e(is)}</li>`).join('')}</ol>
<p>Read from top to bottom. On the left is the client, in the middle the wire between both kernels, on the right the server. The time is in microseconds since the client called send(2); a call is noted when it returns, a segment when it is on the wire. So a call may be noted a little later than the segment that it caused. The models with the fewest steps come first.</p>
<nav aria-label="Models"><span class="small">Models:</span> ${all.map(({ model }) => `<a href="#${e(model)}">${e(model)}</a>`).join(' ')}</nav>
${all.map(section).join('')}
<h2>What to compare</h2>
<ul class="explanation">
<li>The wire is the same everywhere: one segment with the line, one with the echo. TCP does not know what a model is.</li>
<li>The fewest calls are those of <code>blocking</code>, and of models with a thread or a process for each client: they already sleep in the call that returns the bytes. Whoever waits for several clients needs one call more, to learn whose turn it is.</li>
<li>In <code>worker-threads</code> the line goes to another thread and back. Each way is a write to an eventfd, a wake-up and a read. That is the price of a thread that is free for others meanwhile.</li>
<li>In <code>io-uring</code> no call carries a byte. The kernel has read the line before the process wakes up, and the process says what to send in memory that both share. So there are two calls, neither of them recv(2) or send(2).</li>
<li>No call says that the client has the echo. send(2) and write(2) only say that the kernel has a copy; the acknowledgement comes later, and goes to the kernel.</li>
</ul>
</main>
<footer class="small"><p>${first ? `Recorded on ${e(first.recorded)}, ${e(first.system)}, Node ${e(first.node)}: strace at every thread of the server and at the client, tcpdump on the loopback.` : ''} strace stops a thread at each call, so the times are several times longer than without it; the order is what counts. Threads that have nothing to do with the echo are left out, and so are calls that only look whether there is anything more.</p></footer>
</body>
</html>
`;
  return { page, policy };
}

function section(echo: OneEcho): string {
  const rows = explained(echo, framingOf(echo.model));
  const calls = echo.steps.filter((step) => step.what === 'call' && step.who === 'server').length;
  return `<section aria-labelledby="${e(echo.model)}">
<h2 id="${e(echo.model)}">${e(echo.model)}</h2>
<p class="small">${e(summaryOf(echo.model))}. ${calls} system calls of the server.</p>
<ol class="way">${rows.map(row).join('')}</ol>
</section>`;
}

function row({ t, column, who, what, why, bytes }: Explained): string {
  const time = t === undefined ? '' : `<span class="time">${t.toLocaleString('en')}&nbsp;µs</span>`;
  const chips = bytes
    ? `<span class="chips">${bytesOf(bytes)
        .map(({ hex, shown }) => chip(hex, shown))
        .join('')}</span>`
    : '';
  return `<li class="step ${column}">${time}<div><strong>${e(who)}</strong> <code>${e(unbroken(what))}</code> ${chips}<p>${prose(why)}</p></div></li>`;
}

function chip(hex: string, shown: string): string {
  return `<span class="byte"><b>${hex}</b> ${e(shown)}</span>`;
}
