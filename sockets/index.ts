/**
 * `sockets/`: the BSD socket calls in TypeScript. Descriptors are plain numbers, results are what the
 * manual pages say, and a call here is a call of the C function with the same name.
 */
export { familyOf, type SocketAddress } from './address.ts';
export { SocketError } from './errors.ts';
export * from './event-loop.ts';
export * from './listen.ts';
export * from './options.ts';
export { isSupported } from './platform.ts';
export * from './poll.ts';
export * from './process.ts';
export * from './sleep.ts';
export * from './socket.ts';
export * from './threads.ts';
