/** Lines of the models' source, as a page shows them. */
import { readFileSync } from 'node:fs';
import type { SourceLine } from '../lesson.ts';
import { sources } from '../lessons/sources.ts';
import type { ServerData } from './data.ts';

/** A line of source, found. */
export interface Found {
  /** From 1. */
  readonly number: number;
  readonly code: string;
}

/** Finds the one line that holds a text. @throws Error when there is none, or more than one */
export function find({ file, text }: Pick<SourceLine, 'file' | 'text'>): Found {
  const lines = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').split('\n');
  const found = lines.flatMap((line, i) => (line.includes(text) ? [i] : []));
  const [at] = found;
  if (at === undefined || found.length > 1) {
    throw new Error(`${file} has ${found.length} lines with ${JSON.stringify(text)}, not one`);
  }
  return { number: at + 1, code: (lines[at] ?? '').trim() };
}

/** As `find`, but without an error: a page is better without a line of source than not at all. */
export function findIfThere(source: Pick<SourceLine, 'file' | 'text'>): Found | undefined {
  try {
    return find(source);
  } catch {
    return undefined;
  }
}

/** The lines that run while a model waits or computes; none for a model of which none are known. */
export function runningLines(model: string): ServerData['lines'] {
  return sources.flatMap((source) => {
    const { when, file, shows } = source;
    const found = source.model === model && when ? findIfThere(source) : undefined;
    return found && when ? [{ when, file, shows, ...found }] : [];
  });
}
