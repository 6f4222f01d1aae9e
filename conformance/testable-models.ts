/** For tests only: the suite itself makes no system calls. */
import { whyNoIoUring } from '../sockets/io-uring.ts';
import { modelNames } from './models.ts';

/** The models that can run on this machine. Where the system forbids io_uring, it leaves that model out and says so. */
export function testableModels(): string[] {
  const reason = whyNoIoUring();
  if (reason === undefined) return modelNames();
  console.warn(`io-uring is not tested here: ${reason}`);
  return modelNames().filter((name) => name !== 'io-uring');
}
