import type { Question } from '../question.ts';
import { bulk } from './bulk.ts';
import { calls } from './calls.ts';
import { comeAndGo } from './come-and-go.ts';
import { echo } from './echo.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { badNeighbours } from './neighbours.ts';
import { lineSizes } from './sizes.ts';
import { wait } from './wait.ts';
import { work } from './work.ts';

/** Each workload is a question. */
export const questions: readonly Question[] = [
  echo,
  calls,
  lineSizes,
  growth,
  idle,
  wait,
  work,
  bulk,
  badNeighbours,
  comeAndGo,
];
