/** `npx tsx lab --text`: plays a lesson there and then, and draws it in characters while it runs. */
import type { Lesson } from '../lesson.ts';
import { unbroken } from '../picture/text.ts';
import { needsTheMachine } from '../record.ts';
import { Seen } from '../seen.ts';
import { open, perform } from '../stage/play.ts';
import type { Server } from '../stage/servers.ts';
import type { Stage } from '../stage/stage.ts';
import type { Trace } from '../trace.ts';
import { LEGEND, type Row, scriptRows, traceRows } from './lanes.ts';
import { Drawing, isColoured, render } from './terminal.ts';

/** Milliseconds between two drawings. */
const FRAME = 100;

export interface TextOptions {
  readonly lesson: Lesson;
  /** None: as many of those that the lesson shows as fit on the screen. */
  readonly servers: readonly Server[];
  /** Prints the explanation, too. */
  readonly why: boolean;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** @returns whether all that had to be seen could be seen */
export async function showAsText({ lesson, servers, why, signal }: TextOptions): Promise<boolean> {
  const { stdout, stderr } = process;
  const columns = Math.max(60, Math.min(stdout.columns ?? 80, 160));
  const coloured = isColoured(stdout);
  const clients = Object.keys(lesson.clients);
  const text = (rows: readonly Row[]) => rows.map((row) => render(row, clients, coloured));
  const say = (lines: readonly string[]) => stdout.write(`${lines.join('\n')}\n`);

  if (stderr.isTTY) stderr.write(`starting ${servers.map(({ name }) => name).join(', ')} …`);
  const opening = servers.map((server) => open(lesson, server));
  const opened = await Promise.allSettled(opening);
  if (stderr.isTTY) stderr.write('\r\x1b[K');
  const stages = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (failed) {
    await Promise.all(stages.map((stage) => stage.close()));
    throw failed.reason;
  }

  say([...text([[{ text: lesson.title, style: 'bold' }]]), ...wrap(lesson.story, columns), '']);
  say(text(scriptRows(lesson, columns)));

  const draw = (stage: Stage, now: number) =>
    text(traceRows(stage.trace, lesson.number, columns, lesson.duration, now));
  // Lines that cost CPU are computed by one server at a time: the others would take its cores.
  const groups = needsTheMachine(lesson) ? stages.map((stage) => [stage]) : [stages];
  for (const group of groups) {
    if (signal.aborted) break;
    const drawing = new Drawing(stdout);
    const height = group.length * (clients.length + 5);
    const canGrow = drawing.canHold(height);
    const picture = (now?: number) =>
      group.flatMap((stage) => draw(stage, now ?? Math.min(stage.now(), lesson.duration - 1)));
    const frames = canGrow ? setInterval(() => drawing.draw(picture()), FRAME) : undefined;
    await Promise.all(group.map((stage) => perform(stage, lesson, { signal }))).finally(() =>
      clearInterval(frames),
    );
    if (canGrow) drawing.draw(picture(lesson.duration));
    else say(picture(lesson.duration));
  }
  await Promise.all(stages.map((stage) => stage.close()));
  if (signal.aborted) return false;

  say(['', ...legend(lesson, stages, columns)]);
  say([
    '',
    ...verdict(
      lesson,
      stages.map(({ trace }) => trace),
      columns,
    ),
  ]);
  if (why) say(['', ...lesson.explanation.flatMap(({ says }) => wrap(plain(says), columns))]);
  for (const line of blindness(stages)) stderr.write(`lab: ${line}\n`);
  return blindness(stages).length === 0;
}

/** What each server's answer to the lesson's question is. */
function verdict({ question }: Lesson, traces: readonly Trace[], columns: number): string[] {
  const width = Math.max(...traces.map(({ model }) => Math.min(model.length, 30)));
  return [
    ...wrap(question.asks, columns),
    ...traces.map((trace) => {
      const answer = question.answer(new Seen(trace));
      const choice = answer === undefined ? 'cannot be told' : question.choices[answer];
      return `  ${trace.model.slice(0, 30).padEnd(width)}  ${choice}`;
    }),
  ];
}

/** The signs that occur in the picture. */
function legend(lesson: Lesson, stages: readonly Stage[], columns: number): string[] {
  const { duration } = lesson;
  const rows = stages.flatMap(({ trace }) =>
    traceRows(trace, undefined, columns, duration, duration),
  );
  const lanes = rows
    .map((row) =>
      row
        .slice(1)
        .map(({ text }) => text)
        .join(''),
    )
    .join('');
  const parts = LEGEND.filter(([sign]) => sign === '●' || lanes.includes(sign)).map(
    ([sign, meaning]) => `${sign}\u00a0${meaning.replaceAll(' ', '\u00a0')}`,
  );
  return wrap(parts.join('  '), columns);
}

function blindness(stages: readonly Stage[]): string[] {
  const reasons = stages.flatMap(({ trace: { blind } }) => [blind.tasks, blind.sockets]);
  return [...new Set(reasons.filter((one) => one !== undefined))];
}

/** Without the marks for code. */
function plain(text: string): string {
  return text.replaceAll('`', '');
}

/** Breaks a text into lines, but not at a space that does not break. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of unbroken(text).split(' ')) {
    if (line.length + 1 + word.length > columns - 1 && line) {
      lines.push(line);
      line = '';
    }
    line = line ? `${line} ${word}` : word;
  }
  return [...lines, ...(line ? [line] : [])].map((one) => one.replaceAll('\u00a0', ' '));
}
