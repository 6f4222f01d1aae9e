/**
 * The load generator: a process of its own. It reads commands from standard input, one JSON object on each line,
 * and answers each with a JSON object on standard output. While it generates load, its event loop does not run.
 */
import { createInterface } from 'node:readline';
import { type Churn, type ChurnResult, churn } from './churn.ts';
import { WrongEcho } from './connection.ts';
import { Crowd, type CrowdSize } from './crowd.ts';
import {
  type ClosedLoop,
  closedLoop,
  type Latency,
  type OpenLoop,
  openLoop,
  type Throughput,
} from './load.ts';

/** The commands, and the answer to each. */
export interface Commands {
  /** Opens connections; a crowd is kept under its name until it leaves. */
  join(order: CrowdSize & { readonly crowd: string }): Record<string, never>;
  closed(order: ClosedLoop & { readonly crowd: string }): Throughput;
  open(order: OpenLoop & { readonly crowd: string }): Latency;
  /** Sends without reading until the server takes no more, or `limitEach` bytes. */
  stall(order: { readonly crowd: string; readonly limitEach: number }): { readonly taken: number };
  unfinished(order: { readonly crowd: string }): Record<string, never>;
  /** Each client sends one more line, to prove that silent clients are still served. */
  prove(order: { readonly crowd: string }): Record<string, never>;
  leave(order: { readonly crowd: string }): Record<string, never>;
  /** Closes all crowds at once, without checks: after a failure, or when their server has ended. */
  dismiss(order: Record<string, never>): Record<string, never>;
  churn(order: Churn): ChurnResult;
}

/** An answer: the result, or what the server did wrong, or what failed here. */
export type Answer =
  | { readonly result: unknown }
  | { readonly wrong: string }
  | { readonly failed: string };

const crowds = new Map<string, Crowd>();

function crowd(name: string): Crowd {
  const found = crowds.get(name);
  if (!found) throw new Error(`there is no crowd ${name}`);
  return found;
}

const commands: Commands = {
  join(order) {
    crowds.set(order.crowd, new Crowd(order));
    return {};
  },
  closed: (order) => closedLoop(crowd(order.crowd), order),
  open: (order) => openLoop(crowd(order.crowd), order),
  stall: (order) => ({ taken: crowd(order.crowd).stall(order.limitEach) }),
  unfinished(order) {
    crowd(order.crowd).leaveUnfinished();
    return {};
  },
  prove(order) {
    crowd(order.crowd).proveServed();
    return {};
  },
  leave(order) {
    const leaving = crowds.get(order.crowd);
    crowds.delete(order.crowd);
    leaving?.leave();
    return {};
  },
  dismiss() {
    for (const each of crowds.values()) each.close();
    crowds.clear();
    return {};
  },
  churn,
};

function obey(line: string): Answer {
  try {
    const { command, order } = JSON.parse(line) as { command: keyof Commands; order: never };
    return { result: commands[command](order) };
  } catch (error) {
    if (error instanceof WrongEcho) return { wrong: error.message };
    return { failed: String((error as Error).stack) };
  }
}

process.stdout.on('error', () => process.exit()); // the benchmark has left
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(obey(line))}\n`);
}
