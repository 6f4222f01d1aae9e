/** From a trace to a story, to sentences, to SVG. */
import { expect, test } from 'vitest';
import type { Event, Fact, Inside, Target, Task, Trace } from '../trace.ts';
import { formsOf } from './legend.ts';
import { momentsOf, tellingMoment } from './moments.ts';
import { withPlan } from './plan.ts';
import { momentAt, ticks, x } from './scale.ts';
import { eventSentence, ms, sentencesAt, shown, size } from './sentences.ts';
import { type Story, storyOf } from './story.ts';
import { actsOf, axis, lanes, RIGHT, script } from './svg.ts';
import { escapeMarkup, fitting, prose, unbroken, widthOf } from './text.ts';

const main: Task = { id: '1', pid: 7, tid: 7, kind: 'main', number: 1, t: 0 };

function trace(parts: Partial<Trace>): Trace {
  return {
    format: 1,
    lesson: 'test',
    model: 'some',
    args: [],
    duration: 1000,
    names: { A: 'Anna', B: 'Ben' },
    machine: { system: 'Linux', cpu: '', cores: 2, node: 'v20' },
    quality: { looks: 900, longestGap: 2, medianGap: 1, coreWait: 0, lateness: 0 },
    blind: {},
    tasks: [main],
    events: [],
    facts: [],
    inside: [],
    ...parts,
  };
}

function waits(t: number, call: string, on: readonly Target['on'][], exact = true): Fact {
  const targets = on.map((one) => ({ on: one, for: 'input' }) as const);
  return { t, fact: 'state', task: '1', state: 'waits', call, on: targets, exact };
}

const runs = (t: number): Fact => ({ t, fact: 'state', task: '1', state: 'runs' });

const buffers = (t: number, client: string, serverReceive: number): Fact => ({
  ...{ t, fact: 'buffers', client, serverReceive },
  ...{ clientSend: 0, serverSend: 0, clientReceive: 0 },
});

const send = (t: number, who: string, text: string, lines: number): Event => ({
  ...{ t, who, did: 'send', text, lines },
  bytes: text.length,
});

/** Anna is held by a server that sleeps in recv(2) for her; Ben waits in the backlog until she leaves. */
function stalled(): Story {
  return storyOf(
    trace({
      events: [
        { t: 0, who: 'A', did: 'connected' },
        send(100, 'A', 'hal', 0),
        { t: 200, who: 'B', did: 'connected' },
        send(250, 'B', 'one\\r\\n', 1),
        { t: 700, who: 'A', did: 'end' },
        { t: 701, who: 'A', did: 'fin' },
        { t: 705, who: 'B', did: 'echo', text: 'one\\r\\n', line: 1, waited: 455 },
      ],
      facts: [
        { t: 1, fact: 'holder', client: 'A', where: 'held', tasks: ['1'] },
        waits(1, 'recv', ['A']),
        { t: 201, fact: 'holder', client: 'B', where: 'backlog' },
        buffers(251, 'B', 5),
        runs(400),
        waits(402, 'recv', ['A']),
        runs(700),
        { t: 702, fact: 'holder', client: 'B', where: 'held', tasks: ['1'] },
        buffers(703, 'B', 0),
        waits(706, 'recv', ['B']),
      ],
    }),
  );
}

test('a client’s bar says where its line is', () => {
  const [anna, ben] = stalled().clients;
  expect(anna?.segments.map(({ from, to, where }) => [from, to, where])).toEqual([
    [0, 100, 'idle'],
    [100, 701, 'partial'],
  ]);
  expect(ben?.segments.map(({ from, to, where, owed }) => [from, to, where, owed])).toEqual([
    [200, 201, 'idle', 0],
    [201, 250, 'backlog', 0],
    [250, 702, 'backlog', 1],
    [702, 703, 'unread', 1],
    [703, 705, 'server', 1],
    [705, 1000, 'idle', 0],
  ]);
});

test('a wake-up as short as a blink is one wait, and the echo is where its process answers', () => {
  const [process] = stalled().tasks;
  expect(process?.name).toBe('process');
  expect(process?.segments.map(({ from, to, kind, who }) => [from, to, kind, who])).toEqual([
    [1, 700, 'one', 'A'],
    [700, 706, 'runs', undefined],
    [706, 1000, 'one', 'B'],
  ]);
  expect(process?.echoes).toEqual([{ t: 705, who: 'B', text: 'one\\r\\n' }]);
});

test('a few sentences say what is so at a moment', () => {
  expect(sentencesAt(stalled(), 500)).toEqual([
    'The process waits in recv(2) for Anna, and for nobody else.',
    'Anna has sent a line without its end.',
    'Ben waits in the backlog, connected but not accepted, with one line.',
  ]);
  expect(sentencesAt(stalled(), 705)).toEqual(['The process has just echoed “one” to Ben.']);
});

test('one call for several is for whoever comes first, and says who where that is exact', () => {
  const story = (fact: Fact) => sentencesAt(storyOf(trace({ facts: [fact] })), 500);
  expect(story(waits(0, 'poll', ['loop', 'listener', 'A', 'B']))).toEqual([
    'The process waits in poll(2) for Anna, Ben or a new client.',
  ]);
  expect(story(waits(0, 'epoll_wait', ['listener', 'A'], false))).toEqual([
    'The process waits in epoll_wait(2) for whoever comes first.',
  ]);
  // libuv may list one who is asked about no more: not even then is it "nobody else".
  expect(story(waits(0, 'epoll_wait', ['A'], false))).toEqual([
    'The process waits in epoll_wait(2) for whoever comes first.',
  ]);
  expect(story(waits(0, 'accept', ['listener']))).toEqual([
    'The process waits in accept(2) for a new client.',
  ]);
  expect(story(waits(0, 'epoll_wait', []))).toEqual(['The process has nothing to do.']);
});

test('clients are named in the order of the picture, whatever the order of the kernel’s table', () => {
  const fact = waits(0, 'epoll_wait', ['B', 'listener', 'A']);
  expect(sentencesAt(storyOf(trace({ facts: [fact] })), 500)).toEqual([
    'The process waits in epoll_wait(2) for Anna, Ben or a new client.',
  ]);
});

test('who waits for a ring says what is in flight, where the kernel tells it', () => {
  const said = (inFlight?: Record<string, number>) => {
    const ring = inFlight ? { ring: { inFlight, handedOver: 9 } } : {};
    const fact = { ...waits(0, 'io_uring_enter', ['unknown']), ...ring } as Fact;
    const story = storyOf(trace({ facts: [fact] }));
    const { body } = lanes(story, { from: 0, to: 1000, left: 80, right: 800 });
    return [...sentencesAt(story, 500), /<text class="in [^>]*>([^<]*)/.exec(body)?.[1]];
  };
  const flight =
    'waits in io_uring_enter(2) with 2 receptions, one send and 2 accepts in flight on';
  expect(said({ poll: 1, accept: 2, send: 1, recv: 2 })).toEqual([
    `The process ${flight} its sockets.`,
    `${flight} its sockets`,
  ]);
  expect(said({ poll: 1 })[0]).toBe(
    'The process waits in io_uring_enter(2) with nothing in flight on its sockets.',
  );
  expect(said()[0]).toBe('The process waits in io_uring_enter(2) for whoever comes first.');
});

test('a thread that sleeps without a descriptor may sleep for a line: it is not called idle', () => {
  const story = storyOf(trace({ facts: [waits(0, 'nanosleep', [])] }));
  expect(sentencesAt(story, 500)).toEqual(['The process sleeps in nanosleep(2).']);
  const { body } = lanes(story, { from: 0, to: 1000, left: 80, right: 800 });
  expect(body).toContain('sleeps in nanosleep(2)</text>');
});

test('half a line stays one bar while its next piece is unread for a moment', () => {
  const events = [
    { t: 0, who: 'A', did: 'connected' } as const,
    send(100, 'A', 'h', 0),
    send(200, 'A', 'e', 0),
    send(300, 'A', 'l', 0),
  ];
  const unread = [buffers(201, 'A', 1), buffers(202, 'A', 0), buffers(301, 'A', 1)];
  const facts = [{ t: 0, fact: 'holder', client: 'A', where: 'held' } as const, ...unread];
  const [anna] = storyOf(trace({ events, facts })).clients;
  expect(anna?.segments.map(({ from, to, where }) => [from, to, where])).toEqual([
    [0, 100, 'idle'],
    [100, 301, 'partial'],
    [301, 1000, 'unread'],
  ]);
});

test('who sends FIN and still gets an answer has not left', () => {
  const connected = { t: 0, who: 'A', did: 'connected' } as const;
  const end = { t: 300, who: 'A', did: 'end' } as const;
  const echo = { t: 500, who: 'A', did: 'echo', text: 'a\\r\\n', line: 1, waited: 400 } as const;
  const scale = { from: 0, to: 1000, left: 80, right: 800 };
  const story = storyOf(trace({ events: [connected, send(100, 'A', 'a\\r\\n', 1), end, echo] }));
  expect(script(story, scale).body).toContain('>sends FIN<');
  expect(sentencesAt(story, 400)).toContain('Anna has sent FIN.');
  const gone = storyOf(trace({ events: [connected, end] }));
  expect(script(gone, scale).body).toContain('>leaves (FIN)<');
});

test('the forms that are explained are those that are wide enough to be seen', () => {
  const facts = [waits(0, 'poll', ['A']), runs(500), waits(502, 'poll', ['A'])];
  expect(formsOf([storyOf(trace({ facts }))])).toContain('waits for this client only');
  expect(formsOf([storyOf(trace({ facts }), 1000, 1)])).not.toContain(' runs<');
  expect(formsOf()).toContain(' runs<');
});

test('a line that is computed takes the place of what the thread does meanwhile', () => {
  const inside: Inside[] = [
    { t: 100, task: '1', line: 'A1', who: 'A' },
    { t: 300, task: '1', line: 'A2', who: 'A' },
    { t: 500, task: '1' },
  ];
  const facts = [waits(0, 'poll', ['A']), runs(99), waits(501, 'poll', ['A'])];
  const story = storyOf(trace({ facts, inside }));
  expect(
    story.tasks[0]?.segments.map(({ from, to, kind, line }) => [from, to, kind, line]),
  ).toEqual([
    [0, 99, 'one', undefined],
    [99, 100, 'runs', undefined],
    [100, 300, 'computes', 'A1'],
    [300, 500, 'computes', 'A2'],
    [500, 501, 'runs', undefined],
    [501, 1000, 'one', undefined],
  ]);
  expect(sentencesAt(story, 200)).toEqual(['The process computes Anna’s line “A1”.']);
});

test('threads that do the same share a sentence', () => {
  const tasks = [1, 2, 3, 4].map((number) => ({
    ...main,
    id: String(number),
    tid: number,
    kind: number === 1 ? ('main' as const) : ('thread' as const),
    number: number === 1 ? 1 : number - 1,
  }));
  const facts = tasks.map(({ id }) => ({ ...waits(0, 'epoll_wait', []), task: id }) as Fact);
  facts[0] = waits(0, 'epoll_wait', ['listener'], false);
  expect(sentencesAt(storyOf(trace({ tasks, facts })), 10)).toEqual([
    'The main thread waits in epoll_wait(2) for whoever comes first.',
    'Threads 1 to 3 have nothing to do.',
  ]);
});

/** So many clients send a line each; a thread each answers the first ones, and the others are in the backlog. */
function crowd(clients: number, served: number): Story {
  const ids = Array.from({ length: clients }, (_, i) => `c${i}`);
  const threads = ids.slice(0, served).map((id, i) => ({
    ...main,
    ...{ id: `t${i}`, tid: 100 + i, kind: 'thread' as const, number: i + 1, t: 150 },
    waits: [{ ...waits(200, 'recv', [id]), task: `t${i}` } as Fact],
  }));
  const events = ids.flatMap((who, i): Event[] => [
    { t: 100, who, did: 'connect' },
    { t: 101, who, did: 'connected' },
    send(110, who, 'a\\r\\n', 1),
    ...(i < served
      ? [{ t: 190, who, did: 'echo', text: 'a\\r\\n', line: 1, waited: 80 } as const]
      : []),
  ]);
  const held = (client: string, i: number): Fact =>
    i < served
      ? { t: 150, fact: 'holder', client, where: 'held', tasks: ['1'] }
      : { t: 102, fact: 'holder', client, where: 'backlog' };
  const facts: Fact[] = [
    { t: 0, fact: 'memory', bytes: 40e6 },
    waits(1, 'poll', ['listener']),
    ...ids.map(held),
    { t: 180, fact: 'memory', bytes: 90e6 },
    ...threads.flatMap((thread) => thread.waits),
  ];
  const tasks = [main, ...threads.map(({ waits: _, ...task }) => task)];
  const names = Object.fromEntries(ids.map((id) => [id, id]));
  return storyOf(trace({ names, events, facts, tasks }));
}

test('of a crowd nobody is named: how many are where is said, and each is a thin line', () => {
  const story = crowd(24, 20);
  const scale = { from: 0, to: 1000, left: 80, right: 800 };
  expect(sentencesAt(story, 500)).toEqual([
    'The main thread waits in poll(2) for a new client.',
    'Threads 1 to 20 wait in recv(2), each for its own client.',
    '4 clients wait in the backlog, connected but not accepted.',
    '20 of 24 have an echo.',
    'The server has 90 MB of memory of its own, 50 MB more than at the beginning.',
  ]);
  const many = waits(300, 'poll', ['listener', 'c1', 'c2']);
  expect(sentencesAt({ ...story, tasks: storyOf(trace({ facts: [many] })).tasks }, 500)[0]).toBe(
    'The process waits in poll(2) for any of 2 clients or a new client.',
  );
  const some = story.tasks.map((task, i) => (i % 3 === 1 ? { ...task, segments: [] } : task));
  expect(sentencesAt({ ...story, tasks: some }, 500)[1]).toBe(
    '13 threads wait in recv(2), each for its own client.',
  );
  expect(sentencesAt(crowd(24, 1), 500)).toContain('One of them has an echo.');
  expect(actsOf(story, scale).map(({ t }) => t)).toEqual([100, 110]);
  expect(sentencesAt(crowd(24, 23), 500)).toContain(
    'One client waits in the backlog, connected but not accepted.',
  );
  const drawing = lanes(story, scale);
  expect(drawing.height).toBeLessThan(24 * 10 + 20 * 10 + 100);
  expect(drawing.body.match(/class="bar backlog"/g)).toHaveLength(4);
  expect(drawing.body.match(/class="task one client-\d thin"/g)).toHaveLength(20);
  const texts = textsOf(drawing.body).map(({ text }) => text);
  expect(texts).toEqual(expect.arrayContaining(['24 clients', '20 threads', 'main thread']));
  expect(texts).toContain('20 echoes, up to 80 ms');
  expect(textsOf(script(story, scale).body).map(({ text }) => text)).toEqual([
    ...['24 clients', '24 connect', '24 send a line each'],
  ]);
});

test('an echo is the work of the thread that serves this client alone, if there is one', () => {
  const { tasks } = crowd(3, 2);
  expect(tasks.map(({ echoes }) => echoes.map(({ who }) => who))).toEqual([[], ['c0'], ['c1']]);
});

test('what cannot be seen is said, and drawn as unknown', () => {
  const story = storyOf(
    trace({
      blind: { tasks: 'the system does not allow it', sockets: 'no netlink' },
      events: [{ t: 0, who: 'A', did: 'connected' }, send(100, 'A', 'a\\r\\n', 1)],
    }),
  );
  expect(sentencesAt(story, 500)).toEqual([
    'The process cannot be seen (the system does not allow it).',
    'Where Anna’s line is cannot be seen.',
  ]);
  const { body } = lanes(story, { from: 0, to: 1000, left: 80, right: 800 });
  expect(body).toContain('class="task unknown anybody"');
  expect(body).toContain('class="bar unknown"');
});

test('when nobody could look, nothing is claimed', () => {
  const facts = [waits(0, 'recv', ['A']), { t: 500, fact: 'gap', task: '1', ms: 80 } as const];
  const story = storyOf(trace({ facts }));
  expect(sentencesAt(story, 450)).toEqual(['The process could not be looked at just then.']);
  expect(lanes(story, { from: 0, to: 1000, left: 80, right: 800 }).body).toContain(
    'class="unseen"',
  );
});

test('a thread that is ready and has no core is hatched', () => {
  const facts: Fact[] = [runs(0), { t: 400, fact: 'delay', task: '1', ms: 300 }];
  const story = storyOf(trace({ facts }));
  expect(sentencesAt(story, 200)).toEqual(['The process is ready to run, but no core is free.']);
  expect(lanes(story, { from: 0, to: 1000, left: 80, right: 800 }).body).toContain(
    'class="starved"',
  );
});

test('the four buffers are drawn when they hold much, and told in the order of the way', () => {
  const fact: Fact = {
    ...{ t: 100, fact: 'buffers', client: 'A' },
    ...{ clientSend: 4_200_000, serverReceive: 1_500_000, serverSend: 4_100_000, clientReceive: 0 },
  };
  const events: Event[] = [
    { t: 0, who: 'A', did: 'connected' },
    { t: 50, who: 'A', did: 'pause' },
    { t: 60, who: 'A', did: 'flood', bytes: 24e6, lineLength: 1000 },
  ];
  const story = storyOf(trace({ events, facts: [fact] }));
  expect(sentencesAt(story, 500)).toEqual([
    'Anna reads nothing.',
    'Anna’s bytes: 4.2 MB in Anna’s send buffer, 1.5 MB in the server’s receive buffer and 4.1 MB in the server’s send buffer.',
  ]);
  const { body } = lanes(story, { from: 0, to: 1000, left: 80, right: 800 });
  expect(body.match(/class="bytes bytes-\d"/g)).toHaveLength(3);
});

test('a connection that the server ended is lost; one that its client ended is not', () => {
  const events: Event[] = [
    { t: 0, who: 'A', did: 'connected' },
    { t: 0, who: 'B', did: 'connected' },
    { t: 100, who: 'A', did: 'fin' },
    { t: 200, who: 'B', did: 'end' },
    { t: 201, who: 'B', did: 'fin' },
    { t: 300, who: 'server', did: 'exit', how: 0 },
  ];
  expect(sentencesAt(storyOf(trace({ events })), 500)).toEqual([
    'The server has ended.',
    'Anna has lost the connection.',
  ]);
  const stop: Event = { t: 90, who: 'server', did: 'signal', signal: 'SIGTERM' };
  expect(sentencesAt(storyOf(trace({ events: [stop, ...events] })), 250)).toEqual([
    'The server has closed Anna’s connection.',
  ]);
});

test('who comes again begins anew: it reads, and nothing is owed to it', () => {
  const events: Event[] = [
    { t: 0, who: 'A', did: 'connect' },
    { t: 0, who: 'A', did: 'connected' },
    { t: 50, who: 'A', did: 'pause' },
    send(100, 'A', 'one\\r\\n', 1),
    { t: 200, who: 'A', did: 'reset' },
    { t: 400, who: 'A', did: 'connect' },
    { t: 400, who: 'A', did: 'connected' },
  ];
  const story = storyOf(trace({ events }));
  expect(story.clients[0]?.segments.at(-1)).toMatchObject({
    ...{ from: 400, where: 'idle', owed: 0, paused: false },
  });
  // Nor was it there between the two.
  const line = script(story, { from: 0, to: 1000, left: 0, right: 1000 }).body;
  expect(line).toContain('class="presence" d="M0 34H200M400 34H1000"');
});

test('what could not be sent is in the script all the same, and is said to be a wish', () => {
  const events: Event[] = [
    { t: 0, who: 'A', did: 'connected' },
    send(100, 'A', 'one\\r\\n', 1),
    { t: 200, who: 'A', did: 'fin' },
  ];
  const planned = withPlan(storyOf(trace({ events })), [
    { at: 90, who: 'A', do: 'send', text: 'one\r\n' },
    { at: 300, who: 'A', do: 'send', text: 'two\r\n' },
  ]);
  const sent = planned.clients[0]?.events.filter(({ did }) => did === 'send') ?? [];
  expect(sent.map((event) => eventSentence({ A: 'Anna' }, event))).toEqual([
    ...['Anna sends “one”.', 'Anna wants to send “two”.'],
  ]);
});

test('no thread outlives its process, whatever was seen of it last', () => {
  const events: Event[] = [{ t: 300, who: 'server', did: 'exit', how: 0 }];
  const facts: Fact[] = [{ t: 299, fact: 'state', task: '1', state: 'runs' }];
  const [task] = storyOf(trace({ events, facts })).tasks;
  expect(task?.segments.at(-1)?.to).toBe(300);
});

test('events as sentences, texts as people see them', () => {
  const names = { A: 'Anna' };
  expect(eventSentence(names, send(0, 'A', 'hal', 0))).toBe('Anna sends a piece: “hal”.');
  expect(eventSentence(names, send(0, 'A', 'one\\r\\n', 1))).toBe('Anna sends “one”.');
  expect(eventSentence(names, send(0, 'A', 'a\\r\\nb\\r\\n', 2))).toBe(
    'Anna sends 2 lines: “a⏎b”.',
  );
  expect([shown('hal'), shown('hello\\r\\n'), shown('\\r'), shown('\\n')]).toEqual([
    ...['hal…', 'hello⏎', 'CR', 'LF'],
  ]);
  expect([ms(0.4), ms(9.97), ms(2002.4), size(5), size(65_536), size(4.2e6)]).toEqual([
    ...['0.4 ms', '10 ms', '2,002 ms', '5 bytes', '66 kB', '4.2 MB'],
  ]);
});

test('stops are where something happens, and the first look is where somebody is kept waiting', () => {
  const story = stalled();
  const moments = momentsOf([story]);
  expect(moments[0]).toBeLessThan(5);
  for (const t of [100, 250, 705]) expect(moments.some((at) => Math.abs(at - t) < 5)).toBe(true);
  expect(tellingMoment([story])).toBeGreaterThan(250);
  expect(tellingMoment([story])).toBeLessThan(702);
});

test('the axis has round moments, with room for their labels', () => {
  for (const width of [280, 400, 800, 1600]) {
    for (const to of [900, 2000, 12_000, 120_000]) {
      const scale = { from: 0, to, left: 70, right: width - RIGHT };
      const marks = ticks(scale);
      expect(marks.length).toBeGreaterThan(1);
      for (const [i, { t }] of marks.entries()) {
        const before = marks[i - 1];
        if (before) expect(x(scale, t) - x(scale, before.t)).toBeGreaterThan(70);
      }
      expect(momentAt(scale, x(scale, to / 2))).toBeCloseTo(to / 2, -1);
    }
  }
});

/** The texts of a drawing: where they begin and end, and in which row. */
function textsOf(body: string): { left: number; right: number; y: string; text: string }[] {
  const found = body.matchAll(/<text class="([^"]*)" x="([\d.-]+)" y="([\d.-]+)"([^>]*)>([^<]*)</g);
  return [...found].map(([, form = '', at, y = '', rest = '', text = '']) => {
    const isBold = /act|stuck|slow|cut|waiting|computed/.test(form);
    const width = widthOf(text, form.includes('act') ? 12 : 11.5, isBold);
    const start = Number(at);
    const left = rest.includes('end')
      ? start - width
      : rest.includes('middle')
        ? start - width / 2
        : start;
    return { left, right: left + width, y, text };
  });
}

function byRow<T extends { y: string }>(texts: readonly T[]): Map<string, T[]> {
  const rows = new Map<string, T[]>();
  for (const text of texts) rows.set(text.y, [...(rows.get(text.y) ?? []), text]);
  return rows;
}

test('labels neither collide nor leave the picture, however narrow it is', () => {
  const many: Event[] = Array.from({ length: 40 }, (_, i) => [
    send(100 + i * 20, 'A', `line ${i}\\r\\n`, 1),
    ...[{ t: 105 + i * 20, who: 'A', did: 'echo', text: 'x', line: i + 1, waited: 5 } as const],
  ]).flat();
  // The last ones come so late that their labels have no room to the right of them.
  const late = [930, 975, 995].map(
    (t, i) => ({ t, who: 'A', did: 'echo', text: 'x', line: 41 + i, waited: 900 }) as const,
  );
  const events: Event[] = [{ t: 0, who: 'A', did: 'connected' }, ...many, ...late];
  // One lane only: each lane has its own rows.
  const story = storyOf(trace({ events, names: { A: 'Anna' }, tasks: [] }));
  for (const width of [300, 400, 800, 1600]) {
    const scale = { from: 0, to: 1000, left: 60, right: width - RIGHT };
    for (const { body } of [axis(scale), script(story, scale), lanes(story, scale)]) {
      const rows = byRow(textsOf(body));
      for (const row of rows.values()) {
        const inOrder = [...row].sort((a, b) => a.left - b.left);
        for (const [i, { left, right }] of inOrder.entries()) {
          expect(right).toBeLessThanOrEqual(width + 1);
          const before = inOrder[i - 1];
          if (before && before.text !== 'Ben')
            expect(left).toBeGreaterThanOrEqual(before.right - 1);
        }
      }
    }
  }
});

test('texts are measured, chosen and escaped', () => {
  expect(fitting(['a long text', 'short', ''], widthOf('short', 12), 12)).toBe('short');
  expect(fitting(['a long text'], 10, 12)).toBe('');
  expect(escapeMarkup('<b a="1">&')).toBe('&lt;b a=&quot;1&quot;&gt;&amp;');
  expect(prose('`a < b` is <code>')).toBe('<code>a &lt; b</code> is &lt;code&gt;');
});

test('a number and its unit stay on one line', () => {
  expect(unbroken('4.1 MB after 1,002 ms, in 2 steps')).toBe(
    '4.1\u00a0MB after 1,002\u00a0ms, in 2 steps',
  );
  expect(prose('`--wait 200 ms` & 3 s')).toBe('<code>--wait 200\u00a0ms</code> &amp; 3\u00a0s');
  expect(widthOf('4.1\u00a0MB', 12)).toBe(widthOf('4.1 MB', 12));
});

test('what a client sends cannot become markup', () => {
  const events: Event[] = [
    { t: 0, who: 'A', did: 'connected' },
    send(100, 'A', '<script>\\r\\n', 1),
    { t: 200, who: 'A', did: 'error', message: '<img src=x>' },
  ];
  const inside: Inside[] = [{ t: 100, task: '1', line: '<b>', who: 'A' }];
  const story = storyOf(trace({ events, inside, names: { A: '<i>' } }));
  const scale = { from: 0, to: 1000, left: 60, right: 1200 };
  const drawn = lanes(story, scale).body + script(story, scale).body;
  expect(drawn).not.toMatch(/<(script|img|b|i)>/);
  expect(drawn).toContain('&lt;script&gt;');
});
