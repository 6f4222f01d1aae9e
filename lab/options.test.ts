import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';

test('what is to be done', () => {
  expect(readOptions([])).toEqual({ mode: 'serve', port: 12322, open: false });
  expect(readOptions(['six-pieces', '--port', '0', '--open'])).toMatchObject({
    ...{ mode: 'serve', port: 0, open: true },
    lesson: { id: 'six-pieces' },
  });
  expect(readOptions(['--', './echo'])).toMatchObject({ mode: 'serve', own: { name: './echo' } });
  expect(readOptions(['--export', 'site'])).toEqual({ mode: 'export', folder: 'site' });
  expect(readOptions(['--list'])).toEqual({ mode: 'list' });
  const shown = readOptions(['--text', 'half-a-line']);
  expect(shown).toMatchObject({ mode: 'text', lesson: { id: 'half-a-line' }, why: false });
  const chosen = readOptions([
    '--text',
    'half-a-line',
    'rxjs',
    '--',
    'python3',
    'echo.py',
    '--port',
    '{port}',
  ]);
  expect(chosen).toMatchObject({
    servers: [
      { name: 'rxjs', isModel: true },
      { name: 'python3 echo.py --port {port}', isModel: false },
    ],
  });
  expect(readOptions(['--record', 'a-flood', 'cluster', '--runs', '5'])).toMatchObject({
    lessons: [{ id: 'a-flood' }],
    models: ['cluster'],
    runs: 5,
  });
});

test.each([
  [['--text'], /needs a lesson: half-a-line, /],
  [['--text', 'half-a-line', 'no-such-model'], /there is no model "no-such-model"; there are /],
  [['--text', 'half-a-line', '--'], /needs a command/],
  [['--text', '--record'], /exclude each other/],
  [['--record', '--runs', '0'], /from 1 to 999, not "0"/],
  [['--record', '--', 'ls'], /plays models only/],
  [['--nonsense'], /Unknown option/],
  [['no-such-lesson'], /there is no lesson "no-such-lesson"; there are /],
  [['half-a-line', 'six-pieces'], /one lesson at a time/],
  [['--'], /needs a command/],
  [['--port', '70000'], /from 0 to 65535, not "70000"/],
  [['--list', '--port', '1'], /do not go with --list/],
  [['--export'], /./],
  [['--export', 'site', 'half-a-line'], /a folder, and no more/],
])('%j is wrong', (args, why) => {
  expect(() => readOptions(args)).toThrow(UsageError);
  expect(() => readOptions(args)).toThrow(why);
});
