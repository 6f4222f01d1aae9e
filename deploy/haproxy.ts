/** HAProxy: starts it with haproxy.cfg, asks it for its figures, and gives it orders. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { listenersOn } from '../conformance/processes.ts';
import { Program } from './program.ts';

/** The configuration, to be read. */
export const CONFIGURATION = fileURLToPath(new URL('haproxy.cfg', import.meta.url));

/** The names of the servers in the configuration; their addresses are in the variables ONE, TWO and THREE. */
export const NAMES = ['one', 'two', 'three'] as const;
export type Name = (typeof NAMES)[number];

/** The program; `HAPROXY` in the environment names another one. */
const HAPROXY = process.env.HAPROXY || 'haproxy';

/** Where to look for it: Debian has it in /usr/sbin, which is not in the PATH of most users. */
const PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin`;

function sayVersion() {
  return spawnSync(HAPROXY, ['-v'], { encoding: 'utf8', env: { ...process.env, PATH } });
}

/** Why there is no balancer on this machine, in one line; undefined where there is one. */
export function whyNoHaproxy(): string | undefined {
  const { error, stdout } = sayVersion();
  if (error) return 'haproxy is not installed (Debian, Ubuntu: apt-get install haproxy)';
  const [, major = 0, minor = 0] = /version (\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? [];
  return major > 2 || (major === 2 && minor >= 6)
    ? undefined
    : `haproxy ${major}.${minor} is too old: 2.6 or newer is needed`;
}

/** Its name and version. */
export function haproxyVersion(): string {
  return /^.*? version \S+/.exec(sayVersion().stdout)?.[0] ?? '';
}

/** The loopback addresses that this machine has. */
export function loopbacks(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return ['127.0.0.1', ...(all.some(({ address }) => address === '::1') ? ['::1'] : [])];
}

/** Whether somebody listens on a port where HAProxy would; the servers may have the same port of other addresses. */
function isTaken(port: number): boolean {
  const addresses = listenersOn(port)?.map(({ address }) => address) ?? [];
  return ['127.0.0.1', '0.0.0.0', '::'].some((one) => addresses.includes(one));
}

/** What HAProxy knows about a server. */
export interface ServerState {
  /** `UP`, `DOWN`, `DRAIN`, `MAINT` … */
  readonly status: string;
  /** Connections now, and since the start. */
  readonly connections: number;
  readonly total: number;
}

export interface HaproxyOptions {
  readonly port: number;
  /** The servers' addresses, `127.0.0.11:12321`. */
  readonly servers: Readonly<Record<Name, string>>;
  /** The time-out of a silent connection, as HAProxy writes it. Default: `1h`. */
  readonly silence?: string;
  /** Another configuration, with the same variables. */
  readonly configuration?: string;
  /** Gets each line of its log. */
  readonly onLine?: (line: string) => void;
}

export class Haproxy {
  readonly port: number;
  /** Where it listens, `127.0.0.1:12321`. */
  readonly addresses: readonly string[];
  /** The socket for orders: `echo "show stat" | nc -NU PATH`. */
  readonly socket: string;
  readonly program: Program;

  private constructor(
    port: number,
    addresses: readonly string[],
    socket: string,
    program: Program,
  ) {
    this.port = port;
    this.addresses = addresses;
    this.socket = socket;
    this.program = program;
  }

  /** @throws Error in one line, when the port is taken, or HAProxy does not accept the configuration */
  static async start(options: HaproxyOptions): Promise<Haproxy> {
    const { port, servers, silence = '1h', configuration = CONFIGURATION, onLine } = options;
    if (isTaken(port)) throw new Error(`something else listens on port ${port}`);
    const folder = mkdtempSync(path.join(tmpdir(), 'line-echo-haproxy-'));
    const socket = path.join(folder, 'admin.sock');
    const addresses = loopbacks().map((one) => (one.includes(':') ? `[${one}]` : one));
    const listen = addresses.map((address) => `${address}:${port}`);
    const variables = {
      PATH,
      LISTEN: listen.join(','),
      ADMIN: socket,
      SILENCE: silence,
      ...Object.fromEntries(NAMES.map((name) => [name.toUpperCase(), servers[name]])),
    };
    try {
      const command = [HAPROXY, '-db', '-f', configuration];
      // What it says of its own accord comes twice: on standard error with a level in brackets, and in the log.
      const isLog = (line: string) => !line.startsWith('[');
      const hear = (line: string) => isLog(line) && onLine?.(line);
      const program = await Program.start(command, variables, () => isTaken(port), hear);
      program.ended.then(() => rmSync(folder, { recursive: true, force: true }));
      return new Haproxy(port, listen, socket, program);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Gives an order (management.txt, "Unix Socket commands").
   *
   * @returns what it answers
   * @throws Error when it is not there, or refuses
   */
  async ask(order: string): Promise<string> {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      connect(this.socket)
        .setEncoding('utf8')
        .on('data', (more) => {
          text += more;
        })
        .once('error', reject)
        .once('close', () => resolve(text.trim()))
        .end(`${order}\n`);
    });
    if (order.startsWith('set ') && answer !== '') throw new Error(`haproxy: ${answer}`);
    return answer;
  }

  async state(name: Name): Promise<ServerState> {
    const [head = '', ...rows] = (await this.ask('show stat')).split('\n');
    const columns = head.replace(/^# /, '').split(',');
    const row = rows.find((line) => line.startsWith(`echo,${name},`))?.split(',') ?? [];
    const value = (column: string) => row[columns.indexOf(column)] ?? '';
    return {
      status: value('status').split(' ')[0] as string,
      connections: Number(value('scur')),
      total: Number(value('stot')),
    };
  }
}
