/** The time axis: where a moment is drawn, and which moments are named. */
import type { Ms } from '../trace.ts';

export interface Scale {
  /** The moments at both ends. */
  readonly from: Ms;
  readonly to: Ms;
  /** Where these are, in pixels. */
  readonly left: number;
  readonly right: number;
}

/** Where a moment is, in pixels, to a tenth; what lies outside is put at the edge. */
export function x({ from, to, left, right }: Scale, t: Ms): number {
  const share = to > from ? (Math.min(Math.max(t, from), to) - from) / (to - from) : 0;
  return Math.round((left + share * (right - left)) * 10) / 10;
}

/** The moment at a place. */
export function momentAt({ from, to, left, right }: Scale, place: number): Ms {
  const share = right > left ? (place - left) / (right - left) : 0;
  return from + Math.min(Math.max(share, 0), 1) * (to - from);
}

/** Pixels that a label of the axis needs for itself. */
const ROOM = 76;

/** Round moments that have room for their labels. */
export function ticks(scale: Scale): { readonly t: Ms; readonly label: string }[] {
  const most = Math.max(1, (scale.right - scale.left) / ROOM);
  const step = roundStep((scale.to - scale.from) / most);
  const marks: { t: Ms; label: string }[] = [];
  for (let i = Math.ceil(scale.from / step); i * step <= scale.to; i++) {
    marks.push({ t: i * step, label: labelOf(i * step, step) });
  }
  return marks;
}

/** The next of 1, 2, 2.5 and 5 times a power of ten, 1 ms at least. */
function roundStep(least: Ms): Ms {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return (
    [1, 2, 2.5, 5, 10].map((n) => n * power).find((step) => step >= least && step % 1 === 0) ??
    10 * power
  );
}

function labelOf(t: Ms, step: Ms): string {
  if (t === 0) return '0';
  return step >= 1000 ? `${t / 1000} s` : `${t.toLocaleString('en')} ms`;
}
