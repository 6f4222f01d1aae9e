/** `npx tsx deploy`: three servers behind HAProxy, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { modelNames } from '../conformance/models.ts';
import { Deployment } from './deployment.ts';
import { whyNoHaproxy } from './haproxy.ts';

const HELP = `Three echo servers behind HAProxy (deploy/haproxy.cfg), on this machine, until Ctrl-C.

Usage: npx tsx deploy [options] [model] [-- options of the model]     (default: epoll-loop)

  --port N          where HAProxy listens (default 12321); the servers listen on the same
                    port of 127.0.0.11, 127.0.0.12 and 127.0.0.13
  --silence TIME    when HAProxy ends a silent connection: 30s, 10m, 1h (the default)
  --grace SECONDS   in a rolling restart, how long a server's clients may stay (default 5)
  --quiet           no logs of the servers and of HAProxy
  --help

kill -HUP PID (of this program) restarts the servers one after another.
Exit codes: 0 after Ctrl-C, 1 where it cannot start, 2 a wrong command line.`;

/** The command line is wrong. */
class UsageError extends Error {}

async function main(): Promise<void> {
  const options = read(process.argv.slice(2));
  if (options.help) return say(HELP);
  const obstacle = whyNoHaproxy();
  if (obstacle) throw new Error(obstacle);
  const { model, args, port, silence, grace, quiet } = options;

  const deployment = await Deployment.start({
    program: `models/${model}`,
    args,
    port,
    serverPort: port,
    silence,
    restart: true,
    onLine: (who, line) => {
      if (!quiet || line.startsWith('ended') || line.startsWith('cannot')) say(`${who}: ${line}`);
    },
  });
  const { balancer, servers } = deployment;
  say(`haproxy listening on ${balancer.addresses.join(' ')} (pid ${balancer.program.pid})`);
  for (const { name, address, program } of servers) {
    say(`  ${name.padEnd(5)} ${model} on ${address} (pid ${program.pid})`);
  }
  say(`  orders to haproxy: echo "show stat" | nc -NU ${balancer.socket}`);
  say(`  rolling restart: kill -HUP ${process.pid}`);

  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      if (isEnding) return;
      isEnding = true;
      await deployment.stop();
      process.exit(0);
    });
  }
  process.on('SIGHUP', () => {
    deployment.roll(1000 * grace, say).catch(({ message }: Error) => say(message));
  });
  const how = await balancer.program.ended;
  if (isEnding) return;
  await deployment.stop();
  throw new Error(`haproxy ended with ${how}`);
}

function read(argv: readonly string[]) {
  const dashes = argv.indexOf('--');
  const args = dashes < 0 ? [] : argv.slice(dashes + 1);
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  let parsed: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args: [...(dashes < 0 ? argv : argv.slice(0, dashes))],
      allowPositionals: true,
      options: { port: text, silence: text, grace: text, quiet: flag, help: flag },
    });
  try {
    parsed = parse();
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\.\s|\n/)[0]);
  }
  const { values, positionals } = parsed;
  const [model = 'epoll-loop', ...more] = positionals;
  const models = modelNames();
  if (more.length > 0) throw new UsageError('takes one model');
  if (!models.includes(model)) {
    throw new UsageError(`no model ${JSON.stringify(model)}: there are ${models.join(', ')}`);
  }
  const port = Number(values.port ?? '12321');
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UsageError(`--port takes a whole number from 1 to 65535, not ${values.port}`);
  }
  const { silence = '1h', quiet = false, help = false } = values;
  if (!/^\d+(ms|s|m|h)$/.test(silence)) {
    throw new UsageError(`--silence takes a time such as 30s, 10m or 1h, not ${silence}`);
  }
  const grace = Number(values.grace ?? '5');
  if (!(grace >= 0 && grace <= 3600)) {
    throw new UsageError(`--grace takes seconds, 0 to 3600, not ${values.grace}`);
  }
  return { help, model, args, port, silence, grace, quiet };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`deploy: ${error.message}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
