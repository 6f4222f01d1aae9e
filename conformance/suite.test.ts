/** How a run is led: in which order, who is blamed, and what stays open meanwhile. */
import { createServer, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type Check, Failure, type Level, type Target, Unsupported } from './check.ts';
import type { Contestant } from './contestants.ts';
import { expectEcho } from './expect.ts';
import { judge } from './suite.ts';

/** An echo server in this process that can be made to die, and is started again. */
class Mortal implements Contestant {
  readonly name = 'mortal';
  readonly known = new Map<string, string>();
  readonly commandLine = { before: '', after: '' };
  readonly said = '';
  readonly isOurs: boolean;
  starts = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #received: (text: string, server: Mortal, socket: Socket) => void;

  constructor(
    received: (text: string, server: Mortal, socket: Socket) => void = () => undefined,
    isOurs = true,
  ) {
    this.#received = received;
    this.isOurs = isOurs;
  }

  async start(): Promise<Target> {
    await this.stop();
    this.starts++;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        this.#received(String(bytes), this, socket);
        socket.write(bytes);
      });
      socket.on('end', () => socket.end());
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    return { name: this.name, host: '127.0.0.1', port, maxLine: 65536 };
  }

  async gone(): Promise<string | undefined> {
    return this.#server ? undefined : 'it ended with exit code 1';
  }

  /** Dies, after so many milliseconds. */
  die(after = 0): void {
    const server = this.#server;
    setTimeout(() => server === this.#server && this.stop(), after);
  }

  async stop(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }
}

function check(id: string, level: Level, run: Check['run'], more: Partial<Check> = {}): Check {
  return { id, level, title: id, sentence: id, cause: 'its own cause', run, ...more };
}

/** A check that sends one line and expects it back. */
const says = (id: string, level: Level, line: string, more: Partial<Check> = {}) =>
  check(id, level, async (scene) => expectEcho(await scene.client(), `${line}\r\n`), more);

async function run(contestant: Contestant, checks: readonly Check[], more = {}) {
  const order: string[] = [];
  const { verdicts } = await judge(contestant, checks, {
    slowFactor: 0.2,
    ...more,
    signal: new AbortController().signal,
    onCheck: ({ id }) => order.push(id),
    onVerdict: () => undefined,
  });
  const outcomes = verdicts.map(({ check: { id }, outcome }) => `${id} ${outcome}`);
  return { verdicts, outcomes, order };
}

test('what the task demands is checked first; the verdicts come in the order of the list', async () => {
  const { order, outcomes } = await run(new Mortal(), [
    says('a', 'info', 'x'),
    says('b', 'should', 'x'),
    says('c', 'must', 'x'),
    says('d', 'must', 'x', { needs: ['b'] }),
  ]);
  expect(order).toEqual(['c', 'b', 'd', 'a']);
  expect(outcomes).toEqual(['a pass', 'b pass', 'c pass', 'd pass']);
});

test('bystanders are opened when what they need has passed, and verified last in their level', async () => {
  let wasOpenInB = false;
  let bystanders = 0;
  const connected = new Set<string>();
  const { order, outcomes } = await run(new Mortal((text) => connected.add(text)), [
    check(
      'bystanders',
      'should',
      async (scene) => {
        bystanders = scene.bystanders.length;
        for (const client of scene.bystanders) await expectEcho(client, 'still here\r\n');
      },
      {
        needs: ['a'],
        prepare: async (scene) => {
          for (const client of await scene.clients(2, 'bystander'))
            await expectEcho(client, 'I stay\r\n');
        },
      },
    ),
    says('a', 'must', 'a'),
    check('b', 'should', async () => {
      wasOpenInB = connected.has('I stay\r\n');
    }),
  ]);
  expect(order).toEqual(['a', 'b', 'bystanders']);
  expect(outcomes).toEqual(['bystanders pass', 'a pass', 'b pass']);
  expect(wasOpenInB).toBe(true);
  expect(bystanders).toBe(2);
});

test('bystanders are opened anew when the server had to be started again', async () => {
  const server = new Mortal((text) => {
    if (text === 'die\r\n') server.die();
  });
  const { outcomes } = await run(server, [
    says('a', 'must', 'a'),
    says('dies', 'must', 'die'),
    check('bystanders', 'must', (scene) => expectEcho(scene.bystanders[0] as never, 'x\r\n'), {
      needs: ['a'],
      prepare: async (scene) => expectEcho(await scene.client(), 'I stay\r\n'),
    }),
  ]);
  expect(outcomes).toEqual(['a pass', 'dies fail', 'bystanders pass']);
});

test('bystanders are not opened where nobody serves two at once', async () => {
  let isPrepared = false;
  const { outcomes } = await run(new Mortal(), [
    check('concurrency/second-client-while-first-idles', 'must', async () => {
      throw new Failure('no');
    }),
    check('bystanders', 'should', async () => undefined, {
      prepare: async () => {
        isPrepared = true;
      },
    }),
  ]);
  expect(outcomes[1]).toBe('bystanders blocked');
  expect(isPrepared).toBe(false);
});

test('what a preparation throws is the verdict of its check', async () => {
  const { verdicts } = await run(new Mortal(), [
    check('bystanders', 'must', async () => undefined, {
      prepare: async () => {
        throw new Failure('it never began');
      },
    }),
  ]);
  expect(verdicts[0]).toMatchObject({ outcome: 'fail', message: 'it never began' });
});

test('what needs a check that is listed as failing is not run when that cannot be told', async () => {
  const contestant = new Mortal();
  contestant.known.set('many at once', 'it has few places');
  const untold = check('many at once', 'should', async () => {
    throw new Unsupported('too slow to tell');
  });
  const after = says('many after that', 'should', 'x', { needs: ['many at once'] });
  const { verdicts } = await run(contestant, [untold, after]);
  expect(verdicts.map(({ outcome }) => outcome)).toEqual(['unsupported', 'blocked']);
});

test('a server that dies a while after a reset is blamed in the check that resets', async () => {
  const server = new Mortal((text, mortal) => {
    if (text === 'reset\r\n') mortal.die(300);
  });
  const { verdicts } = await run(server, [
    check('resets', 'must', async (scene) => {
      const client = await scene.client();
      await expectEcho(client, 'reset\r\n');
      await client.reset();
    }),
    says('innocent', 'must', 'x'),
  ]);
  expect(verdicts[0]).toMatchObject({ outcome: 'fail' });
  expect(verdicts[0]?.message).toContain('the server died in this check');
  expect(verdicts[1]).toMatchObject({ outcome: 'pass' });
});

test('a death that comes later still is traced to the check before', async () => {
  const server = new Mortal((text, mortal) => {
    if (text === 'poison\r\n') mortal.die(250); // nothing was cut: nobody waits for it
  });
  const { outcomes } = await run(server, [
    says('poison', 'must', 'poison'),
    check('innocent', 'must', async (scene) => {
      const client = await scene.client();
      for (let i = 0; i < 20; i++) {
        await expectEcho(client, 'x\r\n');
        await scene.settle(20);
      }
    }),
  ]);
  expect(outcomes).toEqual(['poison fail', 'innocent pass']);
});

test('a server that is deaf after a check that passed is blamed there, and started again', async () => {
  let isDeaf = false;
  const server = new Mortal((text, _, socket) => {
    if (text === 'deafen\r\n') isDeaf = true;
    else if (isDeaf && server.starts === 1) socket.destroy();
  });
  const { outcomes } = await run(server, [
    check('deafens', 'should', async (scene) => {
      const client = await scene.client();
      await expectEcho(client, 'deafen\r\n');
      await client.reset();
    }),
    says('innocent', 'should', 'x'),
  ]);
  expect(outcomes).toEqual(['deafens fail', 'innocent pass']);
});

test('a server that answers each client once has recovered when a new one is served', async () => {
  const server = new Mortal((_, __, socket) => setTimeout(() => socket.end(), 5), false);
  const { outcomes } = await run(server, [
    says('a', 'must', 'x'),
    check('wrong', 'must', async () => {
      throw new Failure('wrong');
    }),
    says('b', 'must', 'x'),
  ]);
  expect(outcomes).toEqual(['a pass', 'wrong fail', 'b pass']);
});

test('a run is bounded: the rest cannot be told, and what was judged stands', async () => {
  const { verdicts, outcomes } = await run(
    new Mortal(),
    [
      says('a', 'must', 'x'),
      check('endless', 'must', async (scene) => {
        const client = await scene.client();
        for (;;) await expectEcho(client, 'x\r\n');
      }),
      says('b', 'must', 'x'),
    ],
    { most: 1500 },
  );
  expect(outcomes).toEqual(['a pass', 'endless unsupported', 'b unsupported']);
  expect(verdicts[2]?.message).toBe('too slow to tell: the time of a run was over');
});
