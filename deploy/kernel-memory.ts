/**
 * What a silent connection costs in the kernel: the objects that its slab allocator keeps for each socket.
 *
 *     sudo npx tsx deploy/kernel-memory.ts       (only root may read /proc/slabinfo)
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { freshAddress } from '../bench/generator/source.ts';
import { EPOLLIN, Epoll } from '../sockets/epoll.ts';
import * as sys from '../sockets/index.ts';

/** Both ends of each are here, so there are twice as many sockets. */
const CONNECTIONS = 4000;

/** The caches that have to do with a socket: itself, its inode, its file, its name, and who waits for it. */
const OF_A_SOCKET =
  /^(TCP|sock_inode_cache|filp|dentry|lsm_.*_cache|ep_head|eventpoll_epi|eventpoll_pwq)$/;

/** A kind of object of which there is one for each socket. */
export interface KernelObject {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Opens 4,000 connections, all 8,000 sockets watched by an epoll instance, and looks of which objects the kernel
 * has at least so many more. Other programs open and close sockets meanwhile, so the number of objects is not
 * exact; the size of one is.
 *
 * @returns undefined where /proc/slabinfo may not be read
 */
export async function kernelObjects(): Promise<readonly KernelObject[] | undefined> {
  const before = slabs();
  if (!before) return undefined;
  const listener = sys.openListener({ address: '127.0.0.1', port: 0 });
  const epoll = new Epoll();
  const fds: number[] = [];
  try {
    for (let i = 0; i < CONNECTIONS; i++) {
      const client = sys.socket(sys.AF_INET);
      fds.push(client);
      sys.bind(client, { address: freshAddress(), port: 0 }); // one address may have no ports left
      sys.connect(client, listener.at);
      fds.push(sys.accept(listener.fd));
    }
    for (const fd of fds) epoll.add(fd, EPOLLIN);
    await sleep(100);
    const now = slabs() ?? new Map();
    return [...now.values()]
      .map(({ name, size, count }) => {
        return { name, size, growth: (count - (before.get(name)?.count ?? 0)) / fds.length };
      })
      .filter(({ name, growth }) => OF_A_SOCKET.test(name) && growth > 0.9)
      .map(({ name, size }) => ({ name, size }));
  } finally {
    for (const fd of fds) sys.close(fd);
    epoll.close();
    sys.close(listener.fd);
  }
}

/** The kernel's caches of objects by name (slabinfo(5)); undefined where they may not be read. */
function slabs(): Map<string, { name: string; count: number; size: number }> | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/slabinfo', 'utf8');
  } catch {
    return undefined;
  }
  const rows = text.trim().split('\n').slice(2);
  return new Map(
    rows.map((row) => {
      const [name = '', active, , size] = row.split(/\s+/);
      return [name, { name, count: Number(active), size: Number(size) }];
    }),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const objects = await kernelObjects();
  if (!objects) {
    console.error('/proc/slabinfo may not be read: only root may');
    process.exit(1);
  }
  for (const { name, size } of objects) console.log(`${String(size).padStart(6)} bytes  ${name}`);
  const sum = objects.reduce((total, { size }) => total + size, 0);
  console.log(`${String(sum).padStart(6)} bytes for each socket`);
}
