/** What a model says of itself in half a sentence: read from its source, so that there is no list. */
import { readFileSync } from 'node:fs';

/** '' for a server that is not in `models/`, or says nothing. */
export function summaryOf(name: string): string {
  let text: string;
  try {
    text = readFileSync(
      new URL(`../../models/${encodeURIComponent(name)}/index.ts`, import.meta.url),
      'utf8',
    );
  } catch {
    return '';
  }
  return /\bsummary(?::| =)\s*'((?:[^'\\]|\\.)*)'/.exec(text)?.[1]?.replaceAll('\\', '') ?? '';
}
