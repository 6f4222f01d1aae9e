/** What a lesson's page carries: plain data, made from the lesson and its recordings, and read in a browser. */
import type { Step } from '../lesson.ts';
import type { Trace } from '../trace.ts';

export interface PageData {
  readonly id: string;
  readonly clients: Readonly<Record<string, string>>;
  /** What the clients want to do. */
  readonly script: readonly Step[];
  readonly asks: string;
  readonly choices: readonly string[];
  /** What the number beside each server is. */
  readonly figure: string;
  /** The servers that are chosen at first. */
  readonly shows: readonly string[];
  readonly servers: readonly ServerData[];
}

export interface ServerData {
  readonly name: string;
  /** Half a sentence; '' for a server that is not of this collection. */
  readonly summary: string;
  /** The index of the choice that holds; absent when the trace cannot tell. */
  readonly answer?: number;
  /** The number as people read it, and whether it is good. */
  readonly number: { readonly text: string; readonly is: 'fine' | 'bad' | 'plain' };
  readonly lines: readonly {
    readonly when: string;
    readonly file: string;
    readonly number: number;
    readonly code: string;
    /** What it does, in a sentence. */
    readonly shows: string;
  }[];
  readonly trace: Trace;
}
