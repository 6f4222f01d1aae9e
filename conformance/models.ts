/** Which models there are: the folders of `models/`, so that a new one is found without touching a list. */
import { existsSync, readdirSync } from 'node:fs';

const FOLDER = new URL('../models/', import.meta.url);

/** The names of all folders in `models/` that hold an `index.ts`, in alphabetical order. */
export function modelNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => existsSync(new URL(`${name}/index.ts`, FOLDER)))
    .sort();
}
