/** What the models' tests share: servers and clients that are gone when a test is over. */
import { fileURLToPath } from 'node:url';
import { afterEach, test as base, expect } from 'vitest';
import { type Client, connect } from '../client/client.ts';
import { type Circumstances, ServerProcess } from '../conformance/server-process.ts';
import { asksAll, testableModels } from '../conformance/testable-models.ts';
import { GRACE_MS } from '../echo/shutdown.ts';

/** The project's root. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** In so many milliseconds after the signal a server has ended: within `GRACE_MS`, and what a busy machine takes. */
export const ENDED_MS = GRACE_MS + 2500;

/** In what a model differs from most. */
interface Traits {
  /** It takes `--workers`, and is tested with two. */
  readonly hasWorkers?: boolean;
  /** It serves one client at a time, on one address. */
  readonly isSerial?: boolean;
  /** The model with which it shares what is not its concurrency: options, log, limits, the end of the server. */
  readonly kin?: string;
  /**
   * Each client costs a thread or a process, and further ones than `--max-connections` wait: tests bring no more
   * clients at once than this.
   */
  readonly crowd?: number;
}

/** Whoever is not listed here is as most are. */
const traits: Readonly<Record<string, Traits>> = {
  'async-await': { kin: 'rxjs' },
  blocking: { isSerial: true },
  cluster: { hasWorkers: true },
  coroutines: { kin: 'poll-loop' },
  'epoll-loop': { kin: 'poll-loop' },
  events: { kin: 'rxjs' },
  'io-uring': { kin: 'poll-loop' },
  'process-per-connection': { crowd: 8 },
  'thread-per-connection': { crowd: 20 },
  'worker-threads': { hasWorkers: true },
};

/**
 * The models in which a client costs a thread or a process. What only they do is tested in one-for-each-client.test.ts;
 * `MODELS=all` in the environment makes all tests include them.
 */
export const limitedModels = testableModels().filter((model) => traits[model]?.crowd);

export const models = testableModels().filter((model) => !limitedModels.includes(model) || asksAll);

export const isSerial = (model: string) => traits[model]?.isSerial ?? false;

/** The models that serve many clients at once. */
export const concurrentModels = models.filter((model) => !isSerial(model));

/**
 * The models, without those that share with another one what is not their concurrency. A test of just that needs
 * no more than these. `MODELS=all` in the environment makes it test all.
 */
export const distinctModels = models.filter((model) => !traits[model]?.kin || asksAll);
/** So many clients at once, or fewer where each is costly. */
export const atMost = (many: number, model: string) => Math.min(many, traits[model]?.crowd ?? many);

/** The arguments that give a model two workers, where it has any. */
export const workersFor = (model: string) => (traits[model]?.hasWorkers ? ['--workers', '2'] : []);

/** Servers and clients that are gone when a test is over. */
export class Testbed {
  readonly #servers: ServerProcess[] = [];
  readonly #clients: Client[] = [];

  /** Starts a model on a port of its own. */
  start = async (
    model: string,
    args: readonly string[] = [],
    circumstances: Circumstances = {},
  ): Promise<ServerProcess> => {
    const server = await ServerProcess.start(`models/${model}`, args, circumstances);
    this.#servers.push(server);
    return server;
  };

  /** A client that is connected. */
  clientOf = async ({ port }: { port: number }, options = {}): Promise<Client> => {
    const client = await connect({ port, ...options });
    this.#clients.push(client);
    return client;
  };

  async clear(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.destroy()));
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()));
  }
}

/** For tests that run one after another. */
const shared = new Testbed();
export const { start, clientOf } = shared;
afterEach(() => shared.clear());

/** A test that has a testbed of its own, and may run beside others. */
export const test = base.extend<{ testbed: Testbed }>({
  // biome-ignore lint/correctness/noEmptyPattern: this is how vitest sees that no other fixture is needed
  testbed: async ({}, use) => {
    const testbed = new Testbed();
    await use(testbed);
    await testbed.clear();
  },
});

/** Sends complete lines and expects them back. */
export async function echo(client: Client, lines = 'hello\r\n'): Promise<void> {
  await client.send(lines);
  expect(String(await client.receive(Buffer.byteLength(lines)))).toBe(lines);
}
