import { afterEach, expect, test, vi } from 'vitest';
import { measureSpeed } from './work.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a CPU clock that counts in steps of 16 ms measures about the same speed', () => {
  const fine = measureSpeed();
  const { cpuUsage } = process;
  const step = 16_000;
  vi.spyOn(process, 'cpuUsage').mockImplementation((before) => {
    const { user, system } = cpuUsage();
    const now = Math.floor((user + system) / step) * step;
    return { user: now - (before?.user ?? 0), system: 0 };
  });
  const coarse = measureSpeed();
  expect(coarse / fine).toBeGreaterThan(0.5);
  expect(coarse / fine).toBeLessThan(2);
});
