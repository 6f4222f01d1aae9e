/**
 * What a model cannot do by design, with the reason. The suite proves each of these: a declared check
 * that passes is a failure, too.
 */
const ONE_AT_A_TIME =
  'it waits in recv(2) for one client; the next one stays in the backlog until that client has left';
const A_THREAD_EACH =
  'each client has a thread of some 10 MiB; there are 256 at most, and the next client waits in the backlog';
const A_PROCESS_EACH =
  'each client has a process; there are 64 at most, and the next client waits in the backlog';
const ONE_SOCKET = 'a blocking accept(2) waits on one socket, so it listens on one address';

export const declarations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  blocking: {
    'concurrency/second-client-while-first-idles': ONE_AT_A_TIME,
    'concurrency/hundred-interleaved': ONE_AT_A_TIME,
    'concurrency/thousand-open': ONE_AT_A_TIME,
    'concurrency/beside-one-partial-line': ONE_AT_A_TIME,
    'concurrency/beside-one-silent-client': ONE_AT_A_TIME,
    'concurrency/beside-any-partial-line': ONE_AT_A_TIME,
    'concurrency/beside-hundred-partial-lines': ONE_AT_A_TIME,
    'concurrency/both-families': ONE_SOCKET,
    'slow-readers/beside-one': ONE_AT_A_TIME,
    'slow-readers/beside-twenty': ONE_AT_A_TIME,
  },
  'process-per-connection': {
    'concurrency/hundred-interleaved': A_PROCESS_EACH,
    'concurrency/thousand-open': A_PROCESS_EACH,
    'concurrency/beyond-1024-descriptors': A_PROCESS_EACH,
    'concurrency/beside-hundred-partial-lines': A_PROCESS_EACH,
    'measures/memory-for-each-connection': A_PROCESS_EACH,
  },
  'thread-per-connection': {
    'concurrency/thousand-open': A_THREAD_EACH,
    'concurrency/beyond-1024-descriptors': A_THREAD_EACH,
  },
};
