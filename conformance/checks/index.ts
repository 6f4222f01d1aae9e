import type { Check } from '../check.ts';
import { concurrency } from './concurrency.ts';
import { framing } from './framing.ts';
import { halfClose } from './half-close.ts';
import { limits } from './limits.ts';
import { measures } from './measures.ts';
import { resets } from './resets.ts';
import { slowReaders } from './slow-readers.ts';

/** Every check there is, the simplest first. */
export const checks: readonly Check[] = [
  ...framing,
  ...limits,
  ...halfClose,
  ...concurrency,
  ...slowReaders,
  ...resets,
  ...measures,
];
