/** How every model starts: it parses the options, and reports an error in one line, with an exit code. */
import {
  InformationRequest,
  type Model,
  type Options,
  parseOptions,
  UsageError,
} from './options.ts';

/** Errors that a user can do something about. Any other error is a bug, and its stack is printed. */
const EXPECTED = /^(E[A-Z]+|EAI_[A-Z]+|ERR_UNSUPPORTED_PLATFORM|ERR_WORKERS_DIE)$/;

/**
 * Runs a model: parses its options and starts it. Exits with 2 after an invalid option, with 1 if
 * the server cannot start or continue, with 0 after `--help` and `--version`.
 */
export async function main(
  model: Model,
  start: (options: Options) => void | Promise<void>,
): Promise<void> {
  try {
    await start(parseOptions(model));
  } catch (error) {
    if (error instanceof InformationRequest) {
      process.stdout.on('error', () => {}); // nobody reads it: `--help | true`
      process.stdout.write(`${error.message}\n`);
      return;
    }
    die(model.name, error);
  }
}

/** Ends the process with one line on standard error that says why. */
export function die(model: string, error: unknown): never {
  if (error instanceof UsageError) {
    process.stderr.write(`${model}: ${error.message}; see --help\n`);
    process.exit(2);
  }
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const isExpected = EXPECTED.test(String(code));
  process.stderr.write(`${model}: ${isExpected ? explain(String(code), message) : stack}\n`);
  process.exit(1);
}

const explanations: Record<string, string> = {
  EADDRINUSE: 'that port is in use; choose another with --port, or --port 0 for a free one',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'that port needs privileges; choose one above 1023',
  ENOTFOUND: 'no such host (--host, or HOST in the environment)',
  EAI_AGAIN: 'no name server answers (--host, or HOST in the environment)',
};

function explain(code: string, message: string): string {
  const explanation = explanations[code];
  return explanation ? `${message}: ${explanation}` : message;
}
