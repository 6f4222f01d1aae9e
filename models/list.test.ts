/** `npx tsx models`: which models there are. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));

function list(folder: string, ...args: string[]) {
  const command = ['--import', 'tsx', join(folder, 'index.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('each folder with a line about it', () => {
  const { status, stdout, stderr } = list(here);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const rows = stdout.split('\n\n')[0]?.split('\n') ?? [];
  const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rows.map((row) => row.split(' ')[0])).toEqual(folders.map(({ name }) => name).sort());
  for (const row of rows) expect(row).toMatch(/^\S+ {2,}\S.*\.$/);
});

test('a name that is no model, and one that is: one line, exit code 2', () => {
  const wrong = list(here, 'pol-loop');
  expect(wrong).toMatchObject({ status: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/^models: no model "pol-loop": there are [^\n]*poll-loop[^\n]*\n$/);
  const right = list(here, 'poll-loop');
  expect(right).toMatchObject({ status: 2, stdout: '' });
  expect(right.stderr).toBe('models: start it with npx tsx models/poll-loop\n');
});

test('models of one’s own, with a comment of any kind at the head, or none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'models of my own '));
  try {
    copyFileSync(join(here, 'index.ts'), join(folder, 'index.ts'));
    const sources = {
      bare: 'export {};\n',
      long: '/**\n * long: says what it is,\n * on two lines. And more.\n */\nexport {};\n',
      mine: '// mine waits for nobody\nexport {};\n',
      short: '/* One comment. */ export {};\n',
    };
    for (const [name, source] of Object.entries(sources)) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'index.ts'), source);
    }
    mkdirSync(join(folder, 'no-model'));
    expect(list(folder).stdout.split('\n\n')[0]).toBe(
      'bare   \nlong   says what it is, on two lines.\nmine   mine waits for nobody\nshort  One comment.',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
