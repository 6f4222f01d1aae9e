/** For tests alone: asking whether io_uring is there takes a system call, which the suite itself does without. */
import { whyNoIoUring } from '../sockets/io-uring.ts';
import { modelNames } from './models.ts';

/** The models that can run on this machine. Leaves out io-uring where the system forbids it, and says so. */
export function testableModels(): string[] {
  const reason = whyNoIoUring();
  if (reason === undefined) return modelNames();
  console.warn(`io-uring is not tested here: ${reason}`);
  return modelNames().filter((name) => name !== 'io-uring');
}
