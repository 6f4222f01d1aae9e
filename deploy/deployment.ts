/**
 * Three servers and a balancer, and what an operator does with them: start, look, restart one after another
 * without a client that is refused, end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeCommand } from '../conformance/node-command.ts';
import { Haproxy, NAMES, type Name } from './haproxy.ts';
import { Program } from './program.ts';

/** A loopback address for each server, as if each had a machine of its own. */
const HOSTS: Readonly<Record<Name, string>> = {
  one: '127.0.0.11',
  two: '127.0.0.12',
  three: '127.0.0.13',
};

/** Milliseconds after which a server that has ended is started again. */
const PAUSE = 1000;

export interface DeploymentOptions {
  /** The program of each server: `models/epoll-loop`. */
  readonly program: string;
  /** More arguments for it. */
  readonly args?: readonly string[];
  /** The balancer's port. */
  readonly port: number;
  /** The servers' port, the same for each, because each has an address of its own; 0 for any. Default: 0. */
  readonly serverPort?: number;
  /** For programs that know no `--host`: all are on 127.0.0.1. */
  readonly noHosts?: boolean;
  readonly silence?: string;
  readonly configuration?: string;
  /** Whether to start a server again that has ended without being told to. */
  readonly restart?: boolean;
  /** Gets each line of the logs, with its author's name. */
  readonly onLine?: (who: Name | 'haproxy', line: string) => void;
}

/** One of the servers. */
export interface Server {
  readonly name: Name;
  readonly address: string;
  program: Program;
}

export class Deployment {
  readonly servers: readonly Server[];
  readonly balancer: Haproxy;
  readonly #options: DeploymentOptions;
  /** Servers that are to end, and not to be started again. */
  readonly #ending = new Set<Server>();
  #isRolling = false;

  private constructor(servers: readonly Server[], balancer: Haproxy, options: DeploymentOptions) {
    this.servers = servers;
    this.balancer = balancer;
    this.#options = options;
    for (const server of servers) this.#watch(server);
  }

  /** Starts the servers, then the balancer. @throws Error in one line; then nothing is left running */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const starts = NAMES.map(async (name) => {
      let address = '';
      const onListening = (at: string) => {
        address = at;
      };
      const program = await startServer(options, name, options.serverPort ?? 0, onListening);
      return { name, address, program };
    });
    const settled = await Promise.allSettled(starts);
    const servers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    try {
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      const { port, silence, configuration, onLine } = options;
      const balancer = await Haproxy.start({
        port,
        servers: Object.fromEntries(servers.map(({ name, address }) => [name, address])) as never,
        ...(silence && { silence }),
        ...(configuration && { configuration }),
        ...(onLine && { onLine: (line) => onLine('haproxy', line) }),
      });
      return new Deployment(servers, balancer, options);
    } catch (error) {
      await Promise.all(servers.map(({ program }) => program.stop()));
      throw error;
    }
  }

  get port(): number {
    return this.balancer.port;
  }

  server(name: Name): Server {
    return this.servers.find((one) => one.name === name) as Server;
  }

  /** As a supervisor (systemd, say) does: a server that has ended is started again after a second. */
  #watch(server: Server): void {
    const { program } = server;
    program.ended.then(async (how) => {
      if (this.#ending.has(server)) return;
      this.#options.onLine?.(server.name, `ended with ${how}`);
      if (!this.#options.restart) return;
      await sleep(PAUSE, undefined, { ref: false });
      // A rolling restart may have come in between.
      if (this.#ending.has(server) || server.program !== program) return;
      await this.#startAgain(server).catch((error: Error) => {
        this.#options.onLine?.(server.name, `cannot be started again: ${error.message}`);
      });
    });
  }

  async #startAgain(server: Server): Promise<void> {
    const port = Number(server.address.slice(server.address.lastIndexOf(':') + 1));
    server.program = await startServer(this.#options, server.name, port);
    this.#watch(server);
  }

  /**
   * Restarts the servers, one after another. Each first gets no new clients (drain), and its clients have time to
   * leave. Then SIGTERM: it answers every complete line that it has received, and closes. When the new process
   * is healthy, it gets clients again, and the next server's turn comes.
   *
   * @param grace - milliseconds that a server's clients have to leave by themselves
   * @param onStep - is told what is done
   * @throws Error when a server does not come back; the others then go on as they are
   */
  async roll(grace: number, onStep: (step: string) => void = () => undefined): Promise<void> {
    if (this.#isRolling) return;
    this.#isRolling = true;
    try {
      for (const server of this.servers) await this.#rollOne(server, grace, onStep);
    } finally {
      this.#isRolling = false;
    }
  }

  async #rollOne(server: Server, grace: number, onStep: (step: string) => void): Promise<void> {
    const { name } = server;
    const { balancer } = this;
    await balancer.ask(`set server echo/${name} state drain`);
    const deadline = performance.now() + grace;
    let { connections } = await balancer.state(name);
    onStep(`${name}: no new clients; ${connections} connected`);
    while (connections > 0 && performance.now() < deadline) {
      await sleep(100);
      ({ connections } = await balancer.state(name));
    }
    onStep(`${name}: SIGTERM; ${connections} connected`);
    this.#ending.add(server);
    const how = await server.program.stop();
    onStep(`${name}: ended with ${how}`);
    await this.#startAgain(server);
    this.#ending.delete(server);
    await balancer.ask(`set server echo/${name} state ready`);
    await this.until(name, 'UP');
    onStep(`${name}: listens again, healthy`);
  }

  /** Waits until HAProxy's health checks have found a server to be so. @throws Error after 10 s */
  async until(name: Name, status: 'UP' | 'DOWN'): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const { status: now } = await this.balancer.state(name);
      if (now === status) return;
      if (performance.now() > deadline) throw new Error(`${name} is ${now}, not ${status}`);
      await sleep(20);
    }
  }

  /** Ends the servers in order, so that their last answers still find a way, and then the balancer. */
  async stop(): Promise<void> {
    for (const server of this.servers) this.#ending.add(server);
    await Promise.all(this.servers.map(({ program }) => program.stop()));
    // SIGTERM ends HAProxy at once. By now nobody is connected.
    await this.balancer.program.stop();
  }
}

async function startServer(
  { program, args = [], noHosts = false, onLine }: DeploymentOptions,
  name: Name,
  port: number,
  onListening: (address: string) => void = () => undefined,
): Promise<Program> {
  const host = noHosts ? [] : ['--host', HOSTS[name]];
  const command = [...nodeCommand(program), ...host, '--port', String(port), ...args];
  const isReady = (said: string) => {
    const address = /listening on ([\d.]+:\d+)/.exec(said)?.[1];
    if (address) onListening(address);
    return address !== undefined;
  };
  return Program.start(command, {}, isReady, (line) => onLine?.(name, line));
}
