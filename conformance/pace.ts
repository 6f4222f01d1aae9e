/** How fast a server is: what is asked of it must fit into the time that there is. */
import { type Scene, type Target, Unsupported } from './check.ts';

/** Milliseconds that a short line, and a byte of a long one, take when many come at once. */
export interface Pace {
  readonly line: number;
  readonly byte: number;
}

const paces = new WeakMap<Target, Pace>();

/** Of a server that cannot be measured: the check itself will say why. */
const UNKNOWN: Pace = { line: 0.05, byte: 0.0005 };

/** The pace of the server under test, measured once. */
export async function paceOf(scene: Scene): Promise<Pace> {
  const known = paces.get(scene.target);
  if (known) return known;
  const pace = await measure(scene).catch(() => UNKNOWN);
  paces.set(scene.target, pace);
  return pace;
}

/** How long to measure again and again, in milliseconds. */
const LONGEST = 500;

async function measure(scene: Scene): Promise<Pace> {
  const client = await scene.client('pace');
  const once = async (lines: Buffer) => {
    const sentAt = performance.now();
    await client.send(lines);
    await client.receive(lines.length);
    return performance.now() - sentAt;
  };
  // The best of several: a busy moment of the machine says nothing about the server.
  const time = async (lines: Buffer) => {
    let best = Number.POSITIVE_INFINITY;
    const until = performance.now() + LONGEST;
    for (let i = 0; i < 5 && performance.now() < until; i++) {
      best = Math.min(best, await once(lines));
    }
    return best;
  };
  await once(Buffer.from('warm\r\n'));
  const short = await time(Buffer.from('short\r\n'.repeat(32)));
  const long = await time(Buffer.from(`${'long'.repeat(240)}\r\n`.repeat(12)));
  await client.close({ timeout: scene.moment });
  return { line: short / 32, byte: long / (12 * 962) };
}

/** As many of some items as there is time for, evenly spread over all of them. */
export function* inTime<T>(items: readonly T[], milliseconds: number): Generator<T> {
  const until = performance.now() + milliseconds;
  // Steps of the golden section spread evenly, wherever they end.
  let step = Math.max(1, Math.round(items.length * 0.618));
  while (step > 1 && divisor(step, items.length) > 1) step--;
  for (let i = 0; i < items.length && performance.now() < until; i++) {
    yield items[(i * step) % items.length] as T;
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** Says how much was tried, where it was not all. @throws Unsupported when it was next to nothing */
export function extent(done: number, all: number, what: string): string | undefined {
  if (done >= all) return undefined;
  const part = `${done.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} ${what}`;
  if (done < all / 50) throw new Unsupported(`too slow to tell: ${part} came back, all right`);
  return `${part}: the server is slow`;
}
