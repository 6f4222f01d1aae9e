/** What a page may ask for, checked: it comes from a browser, and is made of anything. */

import type { Act, Step } from '../lesson.ts';
import { lessonOf } from '../lessons/index.ts';
import { Refusal } from './requests.ts';
import type { OwnLesson } from './told.ts';

export interface Wish {
  readonly servers: readonly string[];
  readonly args: readonly string[];
  /** Is played at once; absent: somebody presses buttons. */
  readonly play?: {
    readonly script: readonly Step[];
    readonly duration: number;
    readonly clients: Readonly<Record<string, string>>;
    readonly workers?: number;
    readonly cores?: number;
  };
}

/** The most servers at once: more do not read well, and each costs processes. */
export const MOST_SERVERS = 6;

/** Bounds of a script of one's own. */
const MOST_STEPS = 500;
const LONGEST = 15 * 60_000;
const MOST_TEXT = 4096;
const MOST_FLOOD = 256e6;

/** @throws Refusal */
export function wishOf(value: unknown, known: readonly string[]): Wish {
  const { servers, work, wait, lesson, own } = object(value);
  const names = array(servers, 'servers').map((name) => {
    if (typeof name === 'string' && known.includes(name)) return name;
    throw new Refusal(400, `there is no server ${JSON.stringify(name)}`);
  });
  if (names.length === 0) throw new Refusal(400, 'choose a server');
  if (names.length > MOST_SERVERS) throw new Refusal(400, `${MOST_SERVERS} servers at most`);
  const chosen = { servers: [...new Set(names)] };
  if (lesson !== undefined) {
    const found = lessonOf(String(lesson));
    if (!found) throw new Refusal(404, 'there is no such lesson');
    return { ...chosen, args: found.args, play: found };
  }
  if (own !== undefined) {
    const { script, duration, clients, args } = ownLesson(own);
    return { ...chosen, args, play: { script, duration, clients } };
  }
  return { ...chosen, args: [...costOf('--work', work), ...costOf('--wait', wait)] };
}

function costOf(option: string, value: unknown): string[] {
  if (value === undefined || value === 0) return [];
  return [option, String(number(value, option, 0, 2000))];
}

/** @throws Refusal */
export function ownLesson(value: unknown): OwnLesson {
  const { title, clients, args, script, duration } = object(value);
  const names = Object.entries(object(clients)).map(([id, name]) => {
    if (!/^[A-F]$/.test(id)) throw new Refusal(400, 'clients are called A to F');
    return [id, text(name, 'a name', 20)] as const;
  });
  if (names.length === 0) throw new Refusal(400, 'a lesson has clients');
  const ids = names.map(([id]) => id);
  const steps = array(script, 'script').map((step) => stepOf(step, ids));
  if (steps.length > MOST_STEPS) throw new Refusal(400, `${MOST_STEPS} steps at most`);
  return {
    title: text(title, 'a title', 120),
    clients: Object.fromEntries(names),
    args: argsOf(args),
    script: steps.sort((a, b) => a.at - b.at),
    duration: number(duration, 'a duration', 1, LONGEST),
  };
}

/** Only what a lesson made on the live page can have. */
function argsOf(value: unknown): string[] {
  const words = array(value, 'args');
  const pairs = Array.from({ length: words.length / 2 }, (_, i) => words.slice(2 * i, 2 * i + 2));
  return pairs.flatMap(([option, cost]) => {
    if (option !== '--work' && option !== '--wait') throw new Refusal(400, 'unknown arguments');
    return costOf(option, Number(cost));
  });
}

function stepOf(value: unknown, ids: readonly string[]): Step {
  const { at, who } = object(value);
  if (typeof who !== 'string' || !ids.includes(who)) throw new Refusal(400, 'no such client');
  return { at: number(at, 'a time', 0, LONGEST), who, ...actOf(value) };
}

/** @throws Refusal */
export function actOf(value: unknown): Act {
  const { do: what, text: bytes, bytes: most } = object(value);
  switch (what) {
    case 'connect':
    case 'pause':
    case 'read':
    case 'end':
    case 'reset':
      return { do: what };
    case 'send':
      return { do: what, text: text(bytes, 'a text', MOST_TEXT) };
    case 'flood':
      return { do: what, bytes: number(most, 'bytes', 1, MOST_FLOOD) };
    default:
      throw new Refusal(400, 'nobody can do that');
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Refusal(400, 'an object was expected');
}

function array(value: unknown, what: string): unknown[] {
  if (Array.isArray(value) && value.length <= 2000) return value;
  throw new Refusal(400, `${what}: a list was expected`);
}

function text(value: unknown, what: string, most: number): string {
  if (typeof value === 'string' && value.length <= most) return value;
  throw new Refusal(400, `${what} is a text of ${most} characters at most`);
}

function number(value: unknown, what: string, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new Refusal(400, `${what} is a number from ${least} to ${most}`);
}
