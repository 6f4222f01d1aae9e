/**
 * Node's own event loop, as a descriptor.
 *
 * A program that waits in poll(2) for itself keeps Node from running: timers, signal handlers and
 * output to a pipe stand still. libuv, the library below Node's event loop, has an answer for programs
 * that embed it: one descriptor (an epoll or kqueue instance) that is readable when the loop has
 * something to do. A poll table with that descriptor in it waits for both, and misses no signal: it
 * does not matter whether one comes during the wait or just before it. It does not know of what the
 * program itself has begun since the loop last turned (a write that waits, a timer): then the loop has
 * to turn once more.
 *
 * Source: libuv's documentation of uv_backend_fd.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { cFunction } from './libc.ts';

const uv_default_loop = cFunction('void *uv_default_loop()');
const uv_backend_fd = cFunction('int uv_backend_fd(void *)');

/** The descriptor that is readable when Node's event loop, on the main thread, has events to handle. */
export function eventLoopDescriptor(): number {
  return uv_backend_fd(uv_default_loop());
}

/**
 * Lets Node's event loop handle what it has. Two turns: the first may begin after the phase in which
 * libuv looks for events.
 */
export async function runEventLoop(): Promise<void> {
  await turn();
  await turn();
}
