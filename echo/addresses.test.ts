/** Names with several addresses, some of which this machine does not have. */
import { lookup } from 'node:dns/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import { listenOnAll, type SocketAddressLike } from './addresses.ts';

vi.mock('node:dns/promises', () => ({ lookup: vi.fn() }));

const BOTH = ['::1', '127.0.0.1'];
const names: Record<string, string[]> = { localhost: BOTH, six: ['::1'], four: ['127.0.0.1'] };

beforeEach(() => {
  vi.mocked(lookup).mockImplementation((async (host: string) =>
    (names[host] ?? [host]).map((address) => ({ address }))) as never);
});

/** Listens where only some addresses exist. @returns the addresses, and what was closed again */
async function listen(
  {
    hosts,
    missing,
    code = 'EADDRNOTAVAIL',
  }: { hosts?: string[]; missing: string[]; code?: string },
  defaults = ['127.0.0.1', '::1'],
) {
  const closed: string[] = [];
  const open = ({ address, port }: SocketAddressLike) => {
    if (missing.includes(address)) throw Object.assign(new Error(`bind ${code}`), { code });
    return { at: { address, port: port || 4711 } };
  };
  const listeners = await listenOnAll({ hosts, port: 0 }, defaults, open, ({ at }) => {
    closed.push(at.address);
  }).catch((error) => ({ error: error.code, closed }));
  return Array.isArray(listeners)
    ? listeners.map(({ at }) => `${at.address} ${at.port}`)
    : listeners;
}

test('all addresses of a name, on one port', async () => {
  expect(await listen({ hosts: ['localhost'], missing: [] })).toEqual([
    '::1 4711',
    '127.0.0.1 4711',
  ]);
});

test.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])(
  'of the addresses of one name any but one may be missing (%s)',
  async (code) => {
    const localhost = (missing: string[]) => listen({ hosts: ['localhost'], missing, code });
    expect(await localhost(['::1'])).toEqual(['127.0.0.1 4711']);
    expect(await localhost(['127.0.0.1'])).toEqual(['::1 4711']);
    expect(await localhost(BOTH)).toEqual({ error: code, closed: [] });
  },
);

test('one of two names that is missing is an error', async () => {
  expect(await listen({ hosts: ['four', 'six'], missing: ['::1'] })).toEqual({
    error: 'EADDRNOTAVAIL',
    closed: ['127.0.0.1'],
  });
});

test('a name whose other address another name has given already', async () => {
  expect(await listen({ hosts: ['four', 'localhost'], missing: ['::1'] })).toEqual([
    '127.0.0.1 4711',
  ]);
});

test('the defaults count as the addresses of one name', async () => {
  expect(await listen({ missing: ['::1'] })).toEqual(['127.0.0.1 4711']);
});

test('an address that is taken is an error, also beside another', async () => {
  expect(await listen({ hosts: ['localhost'], missing: ['127.0.0.1'], code: 'EACCES' })).toEqual({
    error: 'EACCES',
    closed: ['::1'],
  });
});
