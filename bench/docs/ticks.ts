/** The ticks of a logarithmic scale. */
import { scaled } from './figures.ts';

/** Within each power of ten; from the finest to the coarsest. */
const STEPS = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];
/** Pixels that the label of a tick needs. */
const TICK = 48;

/** As many ticks as there is room for, on a scale of so many pixels; of memory, whole mebibytes. */
export function ticksBetween(least: number, most: number, unit: string, pixels: number): number[] {
  const decades = Math.log10(most / least);
  const first = Math.floor(Math.log10(least));
  const powers = Array.from({ length: Math.ceil(decades) + 2 }, (_, i) => 10 ** (first + i));
  let ticks: number[] = [];
  for (const steps of STEPS) {
    ticks = powers
      .flatMap((power) => steps.map((step) => Number((step * power).toPrecision(2))))
      .map((tick) => (unit === 'KiB' && tick >= 1000 ? tick * 1.024 : tick))
      .filter((tick) => tick >= least && tick <= most);
    const gaps = ticks.slice(1).map((tick, i) => Math.log10(tick / (ticks[i] as number)));
    if (Math.min(...gaps) * (pixels / decades) >= TICK) return ticks;
  }
  return ticks.filter((_, i) => i % 2 === 0);
}

/** A rate has no unit here, because the chart names it. */
export function tickLabel(median: number, unit: string): string {
  const [value, of] = scaled({ median, unit });
  const number = Number(value.toPrecision(2)).toLocaleString('en-US');
  return /\/s$/.test(of) ? number : `${number} ${of}`;
}
