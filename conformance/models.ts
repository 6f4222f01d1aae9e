/** Which models there are: the folders of `models/`, so that a new one is found without touching a list. */
import { existsSync, readdirSync } from 'node:fs';

const INDEX = ['index.ts', 'index.js'];
const FOLDER = new URL('../models/', import.meta.url);

/** The names of all folders in `models/` that hold an `index.ts`, or its translation, in alphabetical order. */
export function modelNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => INDEX.some((file) => existsSync(new URL(`${name}/${file}`, FOLDER))))
    .sort();
}
