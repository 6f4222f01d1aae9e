/** `npm run lab:docs`: writes the static lessons to docs/lab, and their answers into docs/course.md. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Lesson } from '../lesson.ts';
import { lessons } from '../lessons/index.ts';
import { exportTo } from './export.ts';
import { dataOf, fileOf } from './html.ts';
import { recordingsOf } from './recordings.ts';

const COURSE = new URL('../../docs/course.md', import.meta.url);
const SITE = new URL('../../docs/lab/', import.meta.url);

/** The course as it is, with the lessons as they should be. @throws Error when it has no place for them */
export function course(): string {
  const text = readFileSync(COURSE, 'utf8');
  const [open, close] = ['<!-- lessons -->', '<!-- /lessons -->'];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error('docs/course.md has no place for the lessons');
  const recorded = lessons.filter((lesson) => recordingsOf(lesson).length > 0);
  const sections = recorded.map((lesson, i) => section(lesson, i, recorded)).join('\n');
  return `${text.slice(0, start + open.length)}\n${sections}${text.slice(end)}`;
}

function section(lesson: Lesson, i: number, recorded: readonly Lesson[]): string {
  const { id, title, story, question, explanation, cures, instead, exercise } = lesson;
  const traces = recordingsOf(lesson);
  const { servers, shows } = dataOf(lesson, traces);
  const answers = question.choices.flatMap((choice, index) => {
    const those = servers.filter(({ name, answer }) => shows.includes(name) && answer === index);
    return those.length > 0
      ? [`  - ${choice}: ${those.map(({ name }) => `\`${name}\``).join(', ')}`]
      : [];
  });
  return `
### ${i + 1}. ${title}

${story} ([page](lab/${fileOf(lesson, recorded)}), \`npx tsx lab --text ${id}\`)

- **Asked**: ${question.asks}
- **Answers**:
${answers.join('\n')}
- **Why**: ${explanation.map(({ says }) => says).join(' ')}
- **It cures**: “${cures}” ${instead}
- **Exercise**: ${exercise.task} *Answer*: ${exercise.answer}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(COURSE, course());
  rmSync(SITE, { recursive: true, force: true }); // pages of lessons that are no more
  const files = await exportTo(fileURLToPath(SITE));
  console.log(`docs/course.md, and ${files.length} files in docs/lab`);
}
