import { listenersOn } from '../conformance/processes.ts';

/** A port on which nobody listens now, and that the kernel gives to nobody of its own accord (20000 to 29999). */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if ((listenersOn(port) ?? []).length === 0) return port;
  }
}
