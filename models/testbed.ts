/** What the models' tests share: servers and clients that are gone when a test is over. */
import { afterEach, expect } from 'vitest';
import { type Client, connect } from '../client/client.ts';
import { ServerProcess } from '../conformance/server-process.ts';

export const models = ['blocking', 'poll-loop', 'worker-threads', 'cluster', 'rxjs'] as const;

const servers: ServerProcess[] = [];
const clients: Client[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** Starts a model on a port of its own. */
export async function start(model: string, args: string[] = [], options = {}) {
  const server = await ServerProcess.start(`models/${model}`, args, options);
  servers.push(server);
  return server;
}

/** A client that is connected. */
export async function clientOf({ port }: { port: number }, options = {}): Promise<Client> {
  const client = await connect({ port, ...options });
  clients.push(client);
  return client;
}

/** Sends complete lines and expects them back. */
export async function echo(client: Client, lines = 'hello\r\n'): Promise<void> {
  await client.send(lines);
  expect(String(await client.receive(Buffer.byteLength(lines)))).toBe(lines);
}
