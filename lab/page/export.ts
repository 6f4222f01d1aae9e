/** The lab as a static site: files that need no server and no network. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lessons } from '../lessons/index.ts';
import { tellingMoment } from '../picture/moments.ts';
import { poster } from '../picture/poster.ts';
import { storyOf } from '../picture/story.ts';
import type { Trace } from '../trace.ts';
import { bundle, pictureStyle } from './bundle.ts';
import { dataOf, fileOf, lessonPage, ONE_ECHO } from './html.ts';
import { oneEchoPage } from './one-echo.ts';
import { recordingsOf } from './recordings.ts';

/** The servers in the picture that stands alone: why one stalls and the other does not. */
const PICTURED = ['blocking', 'poll-loop'];

/** How wide it is in pixels, by the end of the file's name: a telephone would make the wide one illegible. */
const WIDTHS = { '': 860, '-narrow': 430 };

/**
 * Writes a page for each lesson that is recorded, and a picture of the first lesson, wide and narrow.
 *
 * @returns the names of the files
 * @throws Error when the folder cannot be written
 */
export async function exportTo(
  folder: string,
  tracesOf: (lesson: (typeof lessons)[number]) => Trace[] = recordingsOf,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const parts = await bundle('lesson');
  const recorded = lessons.filter((lesson) => tracesOf(lesson).length > 0);
  const files = recorded.map((lesson) => {
    const traces = tracesOf(lesson);
    const file = fileOf(lesson, recorded);
    const page = lessonPage({ lesson, course: recorded, traces, bundle: parts });
    writeFileSync(join(folder, file), page);
    return file;
  });
  const { page } = await oneEchoPage(recorded);
  writeFileSync(join(folder, ONE_ECHO), page);
  files.push(ONE_ECHO);
  const [first] = recorded;
  if (!first) return files;
  const { servers, figure } = dataOf(first, tracesOf(first));
  const models = PICTURED.flatMap((name) => {
    const found = servers.find((one) => one.name === name);
    return found ? [{ story: storyOf(found.trace), number: found.number }] : [];
  });
  const options = {
    title: first.title,
    figure,
    t: tellingMoment(models.map(({ story }) => story)),
    style: await pictureStyle(),
    label: `${first.story} ${models.map(({ story, number }) => `${story.model}: ${figure} ${number.text}.`).join(' ')}`,
  };
  for (const [name, width] of Object.entries(WIDTHS)) {
    const picture = `${first.id}${name}.svg`;
    writeFileSync(join(folder, picture), poster(models, { ...options, width }));
    files.push(picture);
  }
  return files;
}
