/**
 * What a descriptor stands for: a client, the listener, an event loop.
 *
 * Descriptor numbers are used again as soon as they are free, so a name is known only as long as the
 * inode behind the number is the same.
 */
import { readdirSync } from 'node:fs';
import type { ClientId, RingState, Target } from '../trace.ts';
import { descriptor, epollTable, inodeOf, Memory, ProcFile, ringState } from './proc.ts';
import type { Doing } from './system-calls.ts';

/** poll(2) and epoll(7) agree on these. */
const IN = 0x001;
const OUT = 0x004;

/** The most entries of a table that are read: 4096 descriptors. */
const TABLE = 4096;

/** Which socket is whose. */
export interface Sockets {
  /** By inode. */
  readonly clients: ReadonlyMap<number, ClientId>;
  readonly listeners: ReadonlySet<number>;
  /** Grows whenever either changes: what was derived from them is to be thrown away. */
  readonly version: number;
}

/** What one process waits for. */
export class Descriptors {
  readonly #pid: number;
  readonly #sockets: Sockets;
  readonly #memory: Memory;
  /** What epoll instances and rings say of themselves, by their descriptors. */
  readonly #infos = new Map<number, ProcFile>();
  #links = new Map<number, string>();
  #version = -1;
  #lastText = '';
  #lastTargets: readonly Target[] = [];
  #nestsLoop = false;

  constructor(pid: number, sockets: Sockets) {
    this.#pid = pid;
    this.#sockets = sockets;
    this.#memory = new Memory(pid);
  }

  /**
   * Whom a call waits for.
   *
   * @throws NodeJS.ErrnoException when the process has ended, or its memory may not be read
   */
  targets({ shape, args }: Extract<Doing, { is: 'waiting' }>): readonly Target[] {
    if (this.#version !== this.#sockets.version) this.#forget();
    const [first = 0, second = 0, third = 0] = args;
    if (shape === 'none') return [];
    if (shape === 'ring') return [{ on: 'unknown', for: 'both' }];
    // One descriptor: looked up each time, because the same call on the same number can be another client.
    if (shape === 'input' || shape === 'output') {
      return [{ on: this.#nameOf(descriptor(this.#pid, first)), for: shape }];
    }
    if (shape === 'epoll') return this.#epoll(first);
    if (shape === 'select') return this.#select(first, second, third);
    return this.#table(first, second);
  }

  /**
   * What was handed over to the ring that a call waits for, as far as the kernel tells.
   *
   * @throws NodeJS.ErrnoException when the process has ended
   */
  ring({ shape, args: [fd = 0] }: Extract<Doing, { is: 'waiting' }>): RingState | undefined {
    return shape === 'ring' ? ringState(this.#info(fd)) : undefined;
  }

  /** Whether the epoll instance that was looked at last watches an event loop, as libuv's own never does. */
  get nestsLoop(): boolean {
    return this.#nestsLoop;
  }

  /** The descriptors of a process by the inode of the socket behind them. */
  static sockets(pid: number): Map<number, number> {
    const found = new Map<number, number>();
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      const inode = inodeOf(descriptor(pid, Number(name)));
      if (inode !== undefined) found.set(inode, Number(name));
    }
    return found;
  }

  close(): void {
    this.#memory.close();
    for (const file of this.#infos.values()) file.close();
  }

  #forget(): void {
    this.#version = this.#sockets.version;
    this.#links = new Map();
    this.#lastText = '';
  }

  #nameOf(link: string): Target['on'] {
    if (link === '') return 'unknown';
    const inode = inodeOf(link);
    if (inode === undefined) return link.includes('eventpoll') ? 'loop' : 'other';
    return (
      this.#sockets.clients.get(inode) ??
      (this.#sockets.listeners.has(inode) ? 'listener' : 'other')
    );
  }

  #link(fd: number): string {
    let link = this.#links.get(fd);
    if (link === undefined) {
      link = descriptor(this.#pid, fd);
      this.#links.set(fd, link);
    }
    return link;
  }

  /** struct pollfd { int fd; short events; short revents; } in the process's own memory: exact. */
  #table(address: number, entries: number): readonly Target[] {
    const bytes = this.#memory.read(address, Math.min(entries, TABLE) * 8);
    const targets: Target[] = [];
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      const fd = bytes.readInt32LE(at);
      const events = bytes.readInt16LE(at + 4);
      if (fd >= 0) this.#add(targets, this.#nameOf(this.#link(fd)), events);
    }
    return targets;
  }

  /** fd_set is an array of bits. */
  #select(highest: number, reading: number, writing: number): readonly Target[] {
    const length = Math.ceil(Math.min(highest, TABLE) / 8);
    const none = Buffer.alloc(length);
    const input = reading === 0 ? none : this.#memory.read(reading, length);
    const output = writing === 0 ? none : this.#memory.read(writing, length);
    const targets: Target[] = [];
    for (let fd = 0; fd < Math.min(highest, TABLE); fd++) {
      const bit = 1 << (fd % 8);
      const isIn = ((input[fd >> 3] ?? 0) & bit) !== 0;
      const isOut = ((output[fd >> 3] ?? 0) & bit) !== 0;
      if (isIn || isOut) {
        this.#add(targets, this.#nameOf(this.#link(fd)), (isIn ? IN : 0) | (isOut ? OUT : 0));
      }
    }
    return targets;
  }

  #info(fd: number): string {
    let file = this.#infos.get(fd);
    if (file === undefined) {
      file = new ProcFile(`/proc/${this.#pid}/fdinfo/${fd}`);
      this.#infos.set(fd, file);
    }
    return file.read();
  }

  #epoll(fd: number): readonly Target[] {
    const text = `${fd} ${this.#info(fd)}`;
    if (text === this.#lastText) return this.#lastTargets;
    const targets: Target[] = [];
    this.#nestsLoop = false;
    for (const entry of epollTable(text)) {
      const link = this.#link(entry.fd);
      if (link.includes('eventpoll')) this.#nestsLoop = true;
      // The inode tells a socket from another that had its number before.
      const on = inodeOf(link) === entry.inode || !link.startsWith('socket:') ? link : '';
      if (on === '') this.#links.delete(entry.fd);
      this.#add(targets, on === '' ? this.#byInode(entry.inode) : this.#nameOf(on), entry.events);
    }
    this.#lastText = text;
    this.#lastTargets = targets;
    return targets;
  }

  #byInode(inode: number): Target['on'] {
    return this.#nameOf(`socket:[${inode}]`);
  }

  /** What has nothing to do with clients (timers, signals) is left out of a table. */
  #add(targets: Target[], on: Target['on'], events: number): void {
    const isIn = (events & IN) !== 0;
    const isOut = (events & OUT) !== 0;
    if (on === 'other' || on === 'unknown' || (!isIn && !isOut)) return;
    if (targets.some((target) => target.on === on)) return; // a second listener
    targets.push({ on, for: isIn && isOut ? 'both' : isIn ? 'input' : 'output' });
  }
}
