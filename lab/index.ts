/** `npx tsx lab`: lessons about who waits for whom, on real servers. */
import { readFileSync } from 'node:fs';
import { lessons } from './lessons/index.ts';
import { HELP, type Options, readOptions, UsageError } from './options.ts';
import { record } from './record.ts';
import { serve } from './serve.ts';
import { showAsText } from './text/index.ts';

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const signal = interruptible();
  const code = await run(options, signal);
  return signal.aborted ? 130 : code;
}

async function run(options: Options, signal: AbortSignal): Promise<number> {
  switch (options.mode) {
    case 'help':
      return say(HELP);
    case 'version':
      return say(`lab ${version()}`);
    case 'list':
      return say(lessons.map(({ id, title }) => `${id.padEnd(24)}${title}`).join('\n'));
    case 'serve':
      return serve({ ...options, signal });
    case 'export': {
      const { exportTo } = await import('./page/export.ts');
      const files = await exportTo(options.folder);
      return say(`${files.length} files in ${options.folder}; open ${options.folder}/index.html`);
    }
    case 'text':
      return (await showAsText({ ...options, signal })) ? 0 : 1;
    case 'record':
      return record({ ...options, signal });
  }
}

/** Aborts at the first signal; the second ends the process at once, and its servers with it. */
function interruptible(): AbortSignal {
  const controller = new AbortController();
  let since = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // Ctrl-C reaches every process of a terminal, and tsx passes it on once more.
      if (controller.signal.aborted && performance.now() - since > 500) process.exit(130);
      since ||= performance.now();
      controller.abort();
    });
  }
  return controller.signal;
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function say(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}

process.stdout.on('error', () => process.exit(141)); // a reader that is gone (`| head -1`)
main().then(
  (code) => process.exit(code),
  (error: Error) => {
    const isTheirs = error instanceof UsageError;
    process.stderr.write(`lab: ${error.message.trim()}${isTheirs ? '; see --help' : ''}\n`);
    process.exit(isTheirs ? 2 : 1);
  },
);
