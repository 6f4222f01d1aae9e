/** When it has run out of descriptors, it serves no new client before the last one has left. */
import { readdirSync, readFileSync } from 'node:fs';
import { EchoServer, type Visitor } from './server.ts';

/** So many descriptors are kept for what else a process opens. */
const RESERVE = 3;

function freeDescriptors(): number {
  const [, limit] =
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  const used = readdirSync('/proc/self/fd').map(Number);
  return Number(limit) - used.length;
}

new (class extends EchoServer {
  #isFull = false;

  override connected(client: Visitor): void {
    if (this.clients.size === 1) this.#isFull = false;
    this.#isFull ||= freeDescriptors() < RESERVE;
    if (this.#isFull) client.socket.destroy();
  }
})().listen();
