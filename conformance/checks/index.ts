import type { Check } from '../check.ts';
import { bystanders } from './bystanders.ts';
import { concurrency } from './concurrency.ts';
import { endings } from './endings.ts';
import { framing } from './framing.ts';
import { halfClose } from './half-close.ts';
import { leaks } from './leaks.ts';
import { limits } from './limits.ts';
import { lines } from './lines.ts';
import { measures } from './measures.ts';
import { resets } from './resets.ts';
import { shutdown } from './shutdown.ts';
import { slowReaders } from './slow-readers.ts';
import { streams } from './streams.ts';

/** Every check there is, the simplest first. */
export const checks: readonly Check[] = [
  ...framing,
  ...lines,
  ...limits,
  ...halfClose,
  ...concurrency,
  ...slowReaders,
  ...resets,
  ...endings,
  ...streams,
  ...leaks,
  ...bystanders,
  ...measures,
  ...shutdown,
];
