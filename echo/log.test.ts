/** The log, as it stands on standard output; and standard output that is slow, or gone. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LineFramer } from './framing.ts';
import { Log } from './log.ts';

const peer = { address: '::1', port: 50_000 };

let written: string[];
let waiting: number;

beforeEach(() => {
  written = [];
  waiting = 0;
  // The real stream belongs to the test runner.
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  vi.spyOn(process.stdout, 'writableLength', 'get').mockImplementation(() => waiting);
  vi.spyOn(process.stdout, 'on').mockReturnValue(process.stdout);
});

afterEach(() => {
  vi.restoreAllMocks();
});

function framerWith(bytes: string): LineFramer {
  const framer = new LineFramer('crlf', 100);
  framer.push(Buffer.from(bytes));
  return framer;
}

/** A connection's whole life. */
function live(log: Log, input = 'done\r\n', from: typeof peer | undefined = peer): void {
  const entry = log.connected(() => from, 0);
  entry.closed({ reason: 'end of input', received: 6, sent: 6, framer: framerWith(input) });
}

function everything(log: Log): void {
  log.listening([
    { address: '127.0.0.1', port: 7 },
    { ...peer, port: 7 },
  ]);
  log.notice('SIGTERM: stopping', { open: 3 });
  log.refused('3 connections are open', () => peer, 0);
  live(log);
}

describe('text', () => {
  test('one line for each event, with the time in front of all but the first', () => {
    everything(new Log({ model: 'rxjs', log: 'text' }));
    const lines = written.join('').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.shift()).toBe(`rxjs listening on 127.0.0.1:7 [::1]:7 (pid ${process.pid})`);
    const time = '\\d\\d:\\d\\d:\\d\\d\\.\\d{3}';
    const expected = [
      'SIGTERM: stopping',
      '\\[::1\\]:50000 refused: 3 connections are open',
      '#1 \\[::1\\]:50000 connected, 1 open',
      '#1 \\[::1\\]:50000 closed \\(end of input\\) after [\\d.]+ s, 6 bytes in, 6 out, 0 open',
    ];
    expect(lines).toEqual(
      expected.map((line) => expect.stringMatching(new RegExp(`^${time} ${line}$`))),
    );
  });

  test('an unfinished line is told, and hints at --eol lf only when bare LFs are in it', () => {
    const log = new Log({ model: 'rxjs', log: 'text' });
    live(log, 'done\r\nhalf a line');
    expect(written.join('')).toContain('; dropped an unfinished line of 11 bytes, 0 open\n');
    expect(written.join('')).not.toContain('--eol');
    live(log, 'one\ntwo\n');
    expect(written.join('')).toMatch(
      /dropped an unfinished line of 8 bytes; [^\n]*bare LFs[^\n]*--eol lf, 0 open\n/,
    );
  });

  test('connections are counted, and told apart from those of other processes', () => {
    const log = new Log({ model: 'cluster', log: 'text' }, '99/');
    const one = log.connected(() => peer, 0);
    log.connected(() => undefined, 0);
    one.closed({ reason: 'idle', received: 0, sent: 0, framer: framerWith('') });
    const text = written.join('');
    expect(text).toContain('#99/1 [::1]:50000 connected, 1 open\n');
    expect(text).toContain('#99/2 unknown connected, 2 open\n');
    expect(text).toMatch(/#99\/1 .* closed \(idle\) .*, 1 open\n/);
  });
});

describe('json', () => {
  test('every line is an object with a time, the model and the event', () => {
    everything(new Log({ model: 'rxjs', log: 'json' }));
    const records = written.map((line) => {
      expect(line).toMatch(/^[^\n]+\n$/);
      return JSON.parse(line);
    });
    for (const record of records) {
      expect(record.model).toBe('rxjs');
      expect(new Date(record.time).toISOString()).toBe(record.time);
    }
    expect(records).toMatchObject([
      {
        event: 'listening',
        message: `rxjs listening on 127.0.0.1:7 [::1]:7 (pid ${process.pid})`,
        addresses: ['127.0.0.1:7', '[::1]:7'],
        pid: process.pid,
      },
      { event: 'notice', message: 'SIGTERM: stopping', open: 3 },
      { event: 'refused', peer: '[::1]:50000', reason: '3 connections are open' },
      { event: 'connected', id: '1', peer: '[::1]:50000', open: 1 },
      { event: 'closed', id: '1', received: 6, sent: 6, unfinished: 0, open: 0 },
    ]);
    expect(records[4].seconds).toBeGreaterThanOrEqual(0);
    expect(records[4]).not.toHaveProperty('hint');
  });

  test('tells of the tail', () => {
    live(new Log({ model: 'rxjs', log: 'json' }), 'one\ntwo\n');
    expect(JSON.parse(written[1] as string)).toMatchObject({
      unfinished: 8,
      hint: expect.stringContaining('--eol lf'),
    });
  });
});

test('off: nothing but where the server listens', () => {
  everything(new Log({ model: 'rxjs', log: 'off' }));
  expect(written).toEqual([`rxjs listening on 127.0.0.1:7 [::1]:7 (pid ${process.pid})\n`]);
});

describe('standard output that is not read', () => {
  test.each(['text', 'json'] as const)(
    '%s: lines are dropped, counted, and told later',
    (format) => {
      const log = new Log({ model: 'rxjs', log: format });
      log.notice('before');
      waiting = 2 ** 24;
      for (let i = 0; i < 1000; i++) log.notice('lost');
      expect(written.length).toBe(1);
      waiting = 0;
      log.notice('after');
      log.notice('and on');
      expect(written.length).toBe(4);
      expect(written[1]).toContain('1000 log lines were dropped');
      if (format === 'json') expect(JSON.parse(written[1] as string).dropped).toBe(1000);
      expect(written[2]).toContain('after');
      expect(written[3]).toContain('and on');
    },
  );
});

test('standard output that is gone: the log ends, and throws nothing', () => {
  const log = new Log({ model: 'rxjs', log: 'text' });
  const [event, gone] = vi.mocked(process.stdout.on).mock.calls[0] as unknown as [
    string,
    (error: Error) => void,
  ];
  expect(event).toBe('error');
  log.notice('heard');
  gone(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  everything(log);
  expect(written.length).toBe(1);
});

describe('the hint at --eol lf', () => {
  test('comes once, when a bare LF has waited for two seconds', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const log = new Log({ model: 'rxjs', log: 'text' });
      const entry = log.connected(() => peer, 0);
      const framer = new LineFramer('crlf', 100);
      const hints = () => written.filter((line) => line.includes('--eol lf')).length;
      framer.push(Buffer.from('no LF'));
      expect(entry.unfinished(framer)).toBe(Number.POSITIVE_INFINITY);
      framer.push(Buffer.from(' but now\n'));
      expect(entry.unfinished(framer)).toBe(2000);
      vi.advanceTimersByTime(1500);
      expect(entry.unfinished(framer)).toBe(500);
      framer.push(Buffer.from('done\r\n')); // it was a line after all
      expect(entry.unfinished(framer)).toBe(Number.POSITIVE_INFINITY);
      vi.advanceTimersByTime(1000);
      framer.push(Buffer.from('again\n'));
      expect(entry.unfinished(framer)).toBe(2000);
      vi.advanceTimersByTime(2000);
      expect(hints()).toBe(0);
      expect(entry.unfinished(framer)).toBe(Number.POSITIVE_INFINITY);
      expect(written.at(-1)).toMatch(
        /#1 \[::1\]:50000 waits with an unfinished line of 6 bytes; it has bare LFs/,
      );
      framer.push(Buffer.from('and again\n'));
      expect(entry.unfinished(framer)).toBe(Number.POSITIVE_INFINITY);
      expect(hints()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is an event of its own in JSON, and nothing without a log', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const framer = framerWith('one\ntwo\n');
      for (const format of ['json', 'off'] as const) {
        const entry = new Log({ model: 'rxjs', log: format }).connected(() => peer, 0);
        entry.unfinished(framer);
        vi.advanceTimersByTime(2000);
        entry.unfinished(framer);
      }
      expect(JSON.parse(written.at(-1) as string)).toMatchObject({
        event: 'hint',
        id: '1',
        unfinished: 8,
        hint: expect.stringContaining('--eol lf'),
      });
    } finally {
      vi.useRealTimers();
    }
  });
});
