/**
 * Not an example but their helper: two connected TCP sockets in one process. It works in one thread
 * because the kernel completes a connection by itself and keeps it in the backlog until accept(2).
 */
import * as sys from '../index.ts';

/** @returns the two ends of a connection over 127.0.0.1; to close them is the caller's task */
export function connectedPair(): { client: number; server: number } {
  const listener = sys.openListener({ address: '127.0.0.1', port: 0 }, 1, true);
  const client = sys.socket(sys.AF_INET);
  sys.connect(client, listener.at);
  const server = sys.accept(listener.fd);
  sys.close(listener.fd);
  return { client, server };
}
