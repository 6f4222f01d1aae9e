/**
 * Node's own event loop, as a descriptor.
 *
 * While a program waits in its own poll(2), Node's event loop does not run: no timers, no signal handlers, no
 * output to a pipe. libuv, the library below Node's event loop, offers one descriptor (an epoll or kqueue
 * instance) that is readable when the loop has something to do. A poll table that contains it waits for both,
 * and misses no signal, whether it comes during the wait or just before it. The descriptor does not know of
 * timers and writes that the program has begun since the loop last ran: for these the loop must run once more.
 *
 * Source: libuv's documentation of uv_backend_fd.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { cFunction } from './libc.ts';

const uv_default_loop = cFunction('void *uv_default_loop()');
const uv_backend_fd = cFunction('int uv_backend_fd(void *)');

/** The descriptor that is readable when Node's event loop (of the main thread) has events to handle. */
export function eventLoopDescriptor(): number {
  return uv_backend_fd(uv_default_loop());
}

/**
 * Lets Node's event loop handle its events. It takes two turns, because the first may begin after the phase in
 * which libuv looks for events.
 */
export async function runEventLoop(): Promise<void> {
  await turn();
  await turn();
}
