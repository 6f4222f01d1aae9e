/** The recordings of the lessons, as they lie in `lab/traces`. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Lesson } from '../lesson.ts';
import { TRACE_FORMAT, type Trace } from '../trace.ts';

/** Where they lie, when nobody says otherwise. */
const FOLDER = new URL('../traces/', import.meta.url);

/**
 * All recordings of a lesson: the servers that it shows first, then the others by name.
 *
 * @throws Error when one is of another version
 */
export function recordingsOf({ id, shows }: Lesson, folder: URL = FOLDER): Trace[] {
  const place = (model: string) => shows.indexOf(model) + 1 || shows.length + 1;
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${id}.`) && file.endsWith('.json'))
    .map((file) => {
      const trace = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Trace;
      if (trace.format === TRACE_FORMAT) return trace;
      throw new Error(`${file} is no recording of this version: npx tsx lab --record ${id}`);
    })
    .sort((a, b) => place(a.model) - place(b.model) || a.model.localeCompare(b.model));
}
