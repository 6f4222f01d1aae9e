/**
 * A lesson: a script that clients play against any server, a question asked before, and an explanation
 * whose every sentence can be checked against what happened.
 *
 * Its text is plain, but for `code` in backticks.
 *
 * A lesson knows no list of models. It names those it shows at first; any other can be chosen. This file
 * runs in a browser as well.
 */
import type { Seen } from './seen.ts';
import type { ClientId, Ms } from './trace.ts';

export interface Lesson {
  /** As in the address of its page and the name of its file: `half-a-line`. */
  readonly id: string;
  /** A claim, or a question: one short line. */
  readonly title: string;
  /** What the clients do, in one to three sentences. */
  readonly story: string;
  readonly clients: Readonly<Record<ClientId, string>>;
  /** What every server is started with, `['--work', '200']`. */
  readonly args: readonly string[];
  /** The models that are shown at first, in this order; names that are not there are passed over. */
  readonly shows: readonly string[];
  /** Threads or processes that answer lines, in models that have a choice; absent: 2. */
  readonly workers?: number;
  /** Restricts the server to so many cores; absent: all of them. */
  readonly cores?: number;
  /**
   * Its servers start more threads or processes than there are cores: that these wait for a core is part of the
   * lesson, and not noise. Each recording begins with a server in which they have not been started yet.
   */
  readonly crowdsCores?: true;
  /** In order of time. */
  readonly script: readonly Step[];
  /**
   * How long it takes on a quiet machine. On a busy one it goes on until every line is answered, and, after
   * `stop`, until the server has ended; at most 10 s longer.
   */
  readonly duration: Ms;
  /** Where it is for chance to decide what there is to see: what a recording must show to be kept. */
  readonly wants?: {
    /** `clients in two processes` */
    readonly what: string;
    readonly isThere: (seen: Seen) => boolean;
  };
  readonly question: Question;
  /** The number beside each model. */
  readonly number: Figure;
  /** Five sentences. */
  readonly explanation: readonly Sentence[];
  /** The wrong idea that this lesson cures, as somebody would say it. */
  readonly cures: string;
  /** What is so instead, in one or two sentences. */
  readonly instead: string;
  /** Lines of the models' source to read, besides those in `sources.ts`. */
  readonly source: readonly SourceLine[];
  readonly exercise: Exercise;
  /** The id of the lesson that comes next; absent in the last. */
  readonly next?: string;
}

/** Something that a client does, or that is done to the server, at a time. */
export type Step = {
  readonly at: Ms;
  readonly who: ClientId;
  /** Not before this client (itself, mostly) is accepted, and has all its answers, a flood's included. */
  readonly once?: ClientId;
} & Act;

export type Act =
  | {
      /**
       * connect. pause: stops reading. read: reads again. end: sends FIN, and reads to the end. reset:
       * leaves with RST.
       */
      readonly do: 'connect' | 'pause' | 'read' | 'end' | 'reset';
    }
  | {
      readonly do: 'send';
      /** Sent as it is, in a segment of its own: `'hal'`, `'f\r\n'`. */
      readonly text: string;
    }
  | {
      /** Sends lines, from a process of its own, until the kernel has taken so many bytes or the client ends. */
      readonly do: 'flood';
      readonly bytes: number;
    }
  | {
      /** SIGKILL to the process that holds this client (`who`), which may be the whole server. */
      readonly do: 'kill';
    }
  | {
      /** SIGTERM to the server; `who` is of no importance: `server`. */
      readonly do: 'stop';
    };

/** Asked for each model that is shown, before the reveal. */
export interface Question {
  /** `How long does Ben wait for an answer?` */
  readonly asks: string;
  /** Two to four, of which exactly one holds for any server. */
  readonly choices: readonly string[];
  /** The index of the choice that holds; undefined when the trace cannot tell. */
  readonly answer: (seen: Seen) => number | undefined;
}

/** One number that says what a model did in this lesson. */
export interface Figure {
  /** `Ben’s longest wait`. */
  readonly label: string;
  readonly unit: 'ms' | 'bytes' | 'echoes' | 'clients' | 'lines' | 'operations';
  /** Undefined when there was none: Ben was never answered. */
  readonly of: (seen: Seen) => number | undefined;
  /** How to say that there was none: `never`. */
  readonly none: string;
  /** From here on it is shown as bad; absent: it is neither good nor bad. */
  readonly badFrom?: number;
}

/** A sentence of the explanation. */
export interface Sentence {
  readonly says: string;
  /**
   * Whether it is true of these traces; absent where it is a definition. It compares orders and ratios
   * that hold on a busy machine. `of` throws for a model that was not played.
   */
  readonly holds?: (of: (model: string) => Seen) => boolean;
}

/** A line of source that shows why. */
export interface SourceLine {
  readonly model: string;
  /** From the project's root. */
  readonly file: string;
  /** A piece of the line that occurs once in that file; a test fails when it does not. */
  readonly text: string;
  /** What it shows, in one sentence. */
  readonly shows: string;
  /**
   * When it is the line that runs: while a thread of the model sleeps in this call, or while it computes a
   * line. Absent: always worth a look.
   */
  readonly when?: string;
}

export interface Exercise {
  readonly task: string;
  readonly answer: string;
}
