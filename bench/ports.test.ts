/** Ports that clients hold for a minute after they have left: neither the next run nor another program may fail for it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeCommand } from '../conformance/node-command.ts';
import { portRange } from './generator/source.ts';

const directory = mkdtempSync(join(tmpdir(), 'bench-ports-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('clients that choose their ports leave those that the kernel gives out to others', () => {
  expect(portRange('32768\t60999\n')).toEqual({ first: 10_000, last: 32_767 });
  expect(portRange('11000\t60999\n')).toEqual({ first: 10_000, last: 10_999 });
  expect(portRange('1024\t65535\n')).toEqual({ first: 10_000, last: 60_000 });
  const { first, last } = portRange();
  expect(first).toBeLessThan(last);
});

const probe = spawnSync('unshare', ['-r', '-n', 'ip', 'link', 'set', 'lo', 'up'], {
  encoding: 'utf8',
});
/** Why there can be no network of its own, with few ports; undefined when there can. */
const why = probe.error
  ? 'there is no unshare'
  : probe.status === 0
    ? undefined
    : `unshare is refused: ${probe.stderr.trim()}`;

/** Runs shell commands in a network of their own (network_namespaces(7)) whose kernel gives out these ports. */
async function inNetwork(ports: string, script: string) {
  const few = 'ip link set lo up && echo "$0" > /proc/sys/net/ipv4/ip_local_port_range &&';
  const child = spawn('unshare', ['-r', '-n', 'sh', '-c', `${few} ${script}`, ports], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

const quoted = (...words: string[]) => words.map((word) => `'${word}'`).join(' ');
const node = (...args: string[]) => quoted(process.execPath, ...args);
const comeAndGo = node(
  ...['--import', 'tsx', 'bench', '--quick', '--only', 'pipe', '--workload', 'come-and-go'],
  ...['--rounds', '1', '--json', join(directory, 'results.json')],
);

describe.skipIf(why)(`a machine with few ports${why ? ` (skipped: ${why})` : ''}`, () => {
  test('a second run within a minute is a run like the first', async () => {
    // Clients that come and go have to take ports of the kernel's range here, more than there are.
    const { code, output } = await inNetwork('10000 11000', `${comeAndGo} && ${comeAndGo}`);
    expect(code, output).toBe(0);
    expect(output.match(/^ +pipe +[\d,]+ +[\d,]+ to [\d,]+ +1\.00/gm)).toHaveLength(2);
    expect(output).not.toContain('EADDR');
  });

  test('another program connects at once after a run', async () => {
    const program = `
      const server = require('net').createServer((socket) => socket.end()).listen(9000, '127.0.0.1');
      server.on('listening', () => {
        require('net').connect(9000, '127.0.0.1').resume().on('close', () => server.close());
      });`.replaceAll("'", '"');
    const { code, output } = await inNetwork(
      '11000 11100',
      `${comeAndGo} && ${node('-e', program)}`,
    );
    expect(code, output).toBe(0);
  });

  test('where no port is free, one line says so', async () => {
    // A server, and two sockets that hold both ports that the kernel has, at every address; then a generator.
    const program = `
      const { createServer } = require('net');
      const listen = (port, host) =>
        new Promise((resolve) => createServer().listen(port, host, resolve));
      const all = [listen(9000, '127.0.0.1'), listen(11000, '0.0.0.0'), listen(11001, '0.0.0.0')];
      Promise.all(all).then(() => {
        const [program, ...args] = process.argv.slice(1);
        const generator = require('child_process').spawn(program, args, { stdio: 'inherit' });
        generator.on('close', () => process.exit());
      });`.replaceAll("'", '"');
    const order = { crowd: 'a', port: 9000, connections: 1, lineLength: 64, linesEach: 1 };
    const command = JSON.stringify({ command: 'join', order });
    const generator = quoted(...nodeCommand('bench/generator/index.ts'));
    const { output } = await inNetwork(
      '11000 11001',
      `echo '${command}' | ${node('-e', program)} -- ${generator}`,
    );
    expect(output).toMatch(/^\{"failed":"Error: no source port is free at 20 addresses/);
  });
});
