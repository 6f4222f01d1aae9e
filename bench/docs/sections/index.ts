/** The sections of the page, in its order. */
import type { Section } from '../section.ts';
import { bulk } from './bulk.ts';
import { comeAndGo } from './come-and-go.ts';
import { echo } from './echo.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { neighbours } from './neighbours.ts';
import { wait } from './wait.ts';
import { work } from './work.ts';

export const sections: readonly Section[] = [
  echo,
  growth,
  idle,
  wait,
  work,
  bulk,
  neighbours,
  comeAndGo,
];
