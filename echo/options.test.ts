import { readFileSync } from 'node:fs';
import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { InformationRequest, type Model, parseOptions, UsageError } from './options.ts';

/** One of each kind. */
const plain: Model = { name: 'plain', summary: 'waits' };
const single: Model = { name: 'single', summary: 'waits on one listener', oneAddress: true };
const pooled: Model = { name: 'pooled', summary: 'has threads', workers: 'threads' };
const models = [plain, single, pooled];

const parse = (args: string[], env: NodeJS.ProcessEnv = {}, model: Model = pooled) =>
  parseOptions(model, args, env);

/** What a user who gets it wrong is told. */
function complaint(args: string[], env: NodeJS.ProcessEnv = {}, model?: Model): string {
  try {
    parse(args, env, model);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

function information(args: string[], model: Model): string {
  try {
    parseOptions(model, args, {});
  } catch (error) {
    expect(error).toBeInstanceOf(InformationRequest);
    return (error as Error).message;
  }
  throw new Error('nothing was said');
}

test('the defaults', () => {
  expect(parse([])).toEqual({
    model: 'pooled',
    hosts: undefined,
    port: 12321,
    maxLine: 65536,
    maxConnections: Number.POSITIVE_INFINITY,
    idleTimeout: 0,
    endOfLine: 'crlf',
    work: 0,
    wait: 0,
    workers: os.availableParallelism(),
    log: 'text',
  });
});

test('every option at once, with = and without', () => {
  const args =
    '--host ::1 --host=localhost --port 7 --max-line 100 --max-connections=5 --idle-timeout 1.5 ' +
    '--eol lf --work 0.25 --wait 40 --workers 3 --log json';
  expect(parse(args.split(' '))).toEqual({
    model: 'pooled',
    hosts: ['::1', 'localhost'],
    port: 7,
    maxLine: 100,
    maxConnections: 5,
    idleTimeout: 1500,
    endOfLine: 'lf',
    work: 0.25,
    wait: 40,
    workers: 3,
    log: 'json',
  });
});

describe('whole numbers', () => {
  test.each([
    ['port', 'port', 0, 65535],
    ['max-line', 'maxLine', 2, 2 ** 28],
    ['max-connections', 'maxConnections', 1, 2 ** 31 - 1],
    ['workers', 'workers', 1, 1024],
  ] as const)('--%s', (name, field, min, max) => {
    for (const value of [min, min + 1, max]) {
      expect(parse([`--${name}`, String(value)])[field]).toBe(value);
    }
    expect(parse([`--${name}=007`])[field]).toBe(7);
    const wrong = [
      String(min - 1),
      String(max + 1),
      '',
      ' ',
      '1.5',
      '1e3',
      '0x10',
      '+5',
      '٣',
      'ten',
    ];
    for (const text of [...wrong, '5 ', '9'.repeat(400), 'Infinity', 'NaN']) {
      expect(complaint([`--${name}=${text}`])).toBe(
        `--${name} takes a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`,
      );
    }
  });
});

describe('numbers', () => {
  test.each([
    ['idle-timeout', 'idleTimeout', 86_400, 1000],
    ['work', 'work', 10_000, 1],
    ['wait', 'wait', 60_000, 1],
  ] as const)('--%s', (name, field, max, unit) => {
    for (const text of ['0', '0.5', '12', '3.25', String(max)]) {
      expect(parse([`--${name}`, text])[field]).toBeCloseTo(Number(text) * unit);
    }
    for (const text of ['-1', `${max}.1`, '', '.5', '1.', '1e2', '1,5', 'off', '9'.repeat(400)]) {
      expect(complaint([`--${name}=${text}`])).toBe(
        `--${name} takes a number from 0 to ${max}, not ${JSON.stringify(text)}`,
      );
    }
  });
});

describe('choices', () => {
  test.each([
    ['eol', 'endOfLine', ['crlf', 'lf']],
    ['log', 'log', ['text', 'json', 'off']],
  ] as const)('--%s', (name, field, choices) => {
    for (const choice of choices) expect(parse([`--${name}`, choice])[field]).toBe(choice);
    for (const text of ['', choices[0].toUpperCase(), 'toString', `${choices[0]} `]) {
      expect(complaint([`--${name}=${text}`])).toBe(
        `--${name} takes ${choices.join(' or ')}, not ${JSON.stringify(text)}`,
      );
    }
  });
});

describe('the environment', () => {
  test('stands in where an option is absent', () => {
    expect(parse([], { HOST: '::', PORT: '80' })).toMatchObject({ hosts: ['::'], port: 80 });
    expect(parse(['--port', '0', '--host', '::1'], { HOST: '::', PORT: '80' })).toMatchObject({
      hosts: ['::1'],
      port: 0,
    });
    expect(parse(['--port', '7'], { PORT: 'nonsense' }).port).toBe(7);
  });

  test('counts as absent when it is empty', () => {
    expect(parse([], { HOST: '', PORT: '' })).toMatchObject({ hosts: undefined, port: 12321 });
  });

  test('is named when it is wrong', () => {
    expect(complaint([], { PORT: '70000' })).toBe(
      'PORT takes a whole number from 0 to 65535, not "70000"',
    );
    expect(complaint(['--port', 'x'], { PORT: '1' })).toMatch(/^--port takes/);
  });
});

describe('hosts', () => {
  test('one that is named twice is one', () => {
    expect(parse(['--host', '::1', '--host', '::1']).hosts).toEqual(['::1']);
  });

  test('an empty one is none', () => {
    expect(complaint(['--host', ''])).toBe('--host needs an address');
    expect(complaint(['--host', '::1', '--host='])).toBe('--host needs an address');
  });

  test('a model that waits on one listener takes one only, and says why', () => {
    expect(parse(['--host', '::'], {}, single).hosts).toEqual(['::']);
    expect(complaint(['--host', '::1', '--host', '127.0.0.1'], {}, single)).toMatch(
      /^--host: .*one socket/,
    );
  });
});

describe('what is not understood', () => {
  test('--workers where there are none', () => {
    expect(complaint(['--workers', '2'], {}, plain)).toBe('plain has no workers');
    expect(parse(['--workers', '2'], {}, pooled).workers).toBe(2);
  });

  test.each([
    [['--nonsense']],
    [['-x']],
    [['extra']],
    [['--port']],
    [['--port', '-1']],
    [['--port', '--host']],
    [['--help=yes']],
    [['--no-help']],
    [['--', 'extra']],
  ])('%j is told in one line', (args) => {
    expect(complaint(args)).toMatch(/^[^\n]+$/);
  });

  test('the option that is wrong is named', () => {
    expect(complaint(['--nonsense'])).toContain("'--nonsense'");
    expect(complaint(['extra'])).toContain("'extra'");
    expect(complaint(['--port'])).toContain('--port');
    expect(complaint(['--port', '-1'])).toContain('--port');
  });

  test('control characters are never quoted as they are', () => {
    const evil = 'a\x1b[31m\r\nb\x00\x7f\x9b31mc\u2028d\u2029e';
    const attempts = [
      [`--port=${evil}`],
      [`--work=${evil}`],
      [`--eol=${evil}`],
      [`--${evil}`],
      [`-${evil}`],
      [evil],
      ['--', evil],
      [`--help=${evil}`],
    ];
    for (const args of attempts) {
      const message = complaint(args);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
      expect(message).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
      expect(message.length).toBeGreaterThan(5);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
    expect(complaint([], { PORT: evil })).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  });
});

describe.each(models)('$name', (model) => {
  const options = [
    ...[
      'host',
      'port',
      'max-line',
      'max-connections',
      'idle-timeout',
      'eol',
      'work',
      'wait',
      'log',
    ],
    ...['help', 'version'],
  ];

  test('--help names every option, in a table that fits a terminal', () => {
    const text = information(['--help'], model);
    expect(text).toContain(`npx tsx models/${model.name}`);
    for (const option of options) expect(text).toContain(`--${option}`);
    expect(text.includes('--workers')).toBe(model.workers !== undefined);
    for (const [row] of text.matchAll(/^ {2}.*/gm)) expect(row.length).toBeLessThanOrEqual(100);
    expect(information(['-h'], model)).toBe(text);
  });

  test('--version is that of the package', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    expect(information(['--version'], model)).toBe(`${model.name} ${JSON.parse(manifest).version}`);
  });
});

test('--help wins over what else is wrong with the values', () => {
  expect(information(['--help', '--port', 'x'], plain)).toContain('Usage');
});

test('-- with nothing behind it is nothing', () => {
  expect(parse(['--port', '7', '--'])).toEqual(parse(['--port', '7']));
});
