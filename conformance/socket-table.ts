/** The kernel's tables of TCP sockets, `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)). */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** One socket in these tables. */
export interface SocketRow {
  /** Its own address, as the kernel writes it: see {@link readableAddress}. */
  readonly address: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly isListening: boolean;
  /** Bytes that its peer has not acknowledged yet. */
  readonly unacknowledged: number;
  /** Bytes that its process has not read yet. */
  readonly unread: number;
  readonly inode: string;
}

/** The state TCP_LISTEN, as the tables write it. */
const LISTEN = '0A';

/** All sockets with a local or a remote port; undefined where there is no /proc. */
export function socketsAt(port: number): SocketRow[] | undefined {
  return rowsWith(port, (file) => readFileSync(file, 'latin1'));
}

/** The sockets that listen on a port; undefined where there is no /proc. */
export function listeningSocketsAt(port: number): SocketRow[] | undefined {
  return rowsWith(port, listeningRowsOf)?.filter(
    ({ isListening, localPort }) => isListening && localPort === port,
  );
}

function rowsWith(port: number, textOf: (file: string) => string): SocketRow[] | undefined {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].filter((file) => existsSync(file));
  if (tables.length === 0) return undefined;
  const name = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return tables
    .flatMap((file) => textOf(file).split('\n'))
    .filter((line) => line.includes(name)) // the tables may be long
    .map(parse);
}

function parse(line: string): SocketRow {
  const [, local = '', remote = '', state, queues = '', , , , , inode = ''] = line
    .trim()
    .split(/\s+/);
  const [address = '', localPort = ''] = local.split(':');
  const [, remotePort = ''] = remote.split(':');
  const [unacknowledged = '', unread = ''] = queues.split(':');
  return {
    address,
    localPort: Number.parseInt(localPort, 16),
    remotePort: Number.parseInt(remotePort, 16),
    isListening: state === LISTEN,
    unacknowledged: Number.parseInt(unacknowledged, 16),
    unread: Number.parseInt(unread, 16),
    inode,
  };
}

/**
 * The first rows of a table, up to one that does not listen. Those that listen come first (`tcp_seq_start` in
 * the kernel's `net/ipv4/tcp_ipv4.c`), and behind them there may be tens of thousands.
 */
function listeningRowsOf(file: string): string {
  const table = openSync(file, 'r');
  try {
    let rows = '';
    for (const chunk = Buffer.alloc(4096); ; ) {
      const length = readSync(table, chunk);
      rows += chunk.toString('latin1', 0, length);
      const last = rows.split('\n').at(-2) ?? '';
      if (length === 0 || (/^ *\d+: /.test(last) && !parse(last).isListening)) return rows;
    }
  } finally {
    closeSync(table);
  }
}

/**
 * An address of these tables as people write it.
 *
 * @param hex - 32-bit words in hexadecimal, each in the byte order of the machine
 */
export function readableAddress(hex: string): string {
  const words = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') words.swap32();
  if (words.length === 4) return words.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => words.readUInt16BE(2 * i).toString(16));
  const text = groups.join(':');
  if (text.startsWith('0:0:0:0:0:ffff:')) return words.subarray(12).join('.');
  if (text === '0:0:0:0:0:0:0:0') return '::';
  return text === '0:0:0:0:0:0:0:1' ? '::1' : text;
}
