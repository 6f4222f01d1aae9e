/** What the lab and its live page tell each other. */
import type { Step } from '../lesson.ts';
import type { ClientId, Entry, Ms, Trace } from '../trace.ts';

/** What a page is told, one thing at a time. */
export type Told =
  | {
      /** A session begins, or somebody has come late. */
      readonly session: {
        readonly id: number;
        readonly clients: Readonly<Record<ClientId, string>>;
        readonly args: readonly string[];
        readonly servers: readonly ServerState[];
        /** What was done so far. */
        readonly script: readonly Step[];
        /** Milliseconds since it began; absent before. */
        readonly now?: Ms;
        /** Why it is over; absent while it is not. */
        readonly over?: string;
        readonly duration?: Ms;
      };
    }
  | { readonly trace: Trace }
  | { readonly server: ServerState }
  | { readonly began: true }
  | { readonly step: Step }
  | {
      readonly entries: readonly Entry[];
      readonly of: string;
      /** The time of that server's trace. */
      readonly now: Ms;
    }
  | { readonly over: string };

export interface ServerState {
  readonly name: string;
  readonly is: 'starting' | 'ready' | 'failed';
  /** failed: what it said. */
  readonly why?: string;
}

/** A script that somebody has played by hand, and keeps. */
export interface OwnLesson {
  readonly title: string;
  readonly clients: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly script: readonly Step[];
  readonly duration: number;
}
