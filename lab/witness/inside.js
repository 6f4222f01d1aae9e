/**
 * Loaded into a model with `--import`, in every thread of it: says which line the thread pays for, the
 * one fact about a server that nobody can see from outside. Nothing here runs in a server that is started
 * without it.
 *
 * It writes to a FIFO that the witness reads, and never waits: what does not fit is lost.
 */
import { subscribe } from 'node:diagnostics_channel';
import { constants, openSync, readlinkSync, writeSync } from 'node:fs';

const [pid, , tid] = readlinkSync('/proc/thread-self').split('/').map(Number);
const fifo = openSync(process.env.LINE_ECHO_WITNESS, constants.O_WRONLY | constants.O_NONBLOCK);

function tell(what) {
  try {
    writeSync(
      fifo,
      `${JSON.stringify({ pid, tid, at: String(process.hrtime.bigint()), ...what })}\n`,
    );
  } catch {
    // The witness is gone, or busy: the server must not notice.
  }
}

tell({});
subscribe('line-echo:cost', ({ line, begins }) => {
  const text = Buffer.from(line.subarray(0, 64)).toString('latin1');
  tell({ line: text, begins });
});
