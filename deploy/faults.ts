/** What clients notice when a server is killed under load, and when the servers are restarted one after another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from './deployment.ts';
import { FaithfulClient } from './faithful-client.ts';
import { freePort } from './free-port.ts';

const CLIENTS = 60;
/** Lines that each client sends at once; the next when all are answered. */
const LINES = 20;
/** Milliseconds of load before and after. */
const BEFORE = 500;

/** What the clients saw. */
export interface Notice {
  readonly clients: number;
  /** How many had a connection that ended, and how each ended. */
  readonly interrupted: number;
  readonly endings: Readonly<Record<string, number>>;
  /** The longest time for which a client had no server that answered, in milliseconds, and the median. */
  readonly longestGap: number;
  readonly medianGap: number;
  readonly linesAnswered: number;
  /** Lines that were sent once more, because the connection ended before their echo came. */
  readonly linesSentAgain: number;
  /** Lines whose echo never came, or was wrong: the measurement fails if there are any. */
  readonly linesLost: 0;
}

/** `kill -9` of one of three servers under load. */
export function noticeKill(): Promise<Notice> {
  return underLoad(async (deployment) => {
    deployment.server('two').program.kill('SIGKILL');
    await deployment.until('two', 'DOWN');
  });
}

/** A rolling restart under load, in which no server waits for its clients to leave. */
export function noticeRoll(): Promise<Notice> {
  return underLoad((deployment) => deployment.roll(0));
}

async function underLoad(happen: (deployment: Deployment) => Promise<void>): Promise<Notice> {
  const deployment = await Deployment.start({
    program: 'models/epoll-loop',
    args: ['--log', 'off'],
    port: freePort(),
  });
  try {
    const clients = Array.from(
      { length: CLIENTS },
      (_, i) => new FaithfulClient(deployment.port, `client ${i}`),
    );
    let isOver = false;
    const traffic = clients.map(async (client) => {
      while (!isOver) {
        await client.send(LINES);
        await client.settle();
        await sleep(1);
      }
      await client.close();
    });
    await sleep(BEFORE);
    await happen(deployment);
    await sleep(BEFORE);
    isOver = true;
    await Promise.all(traffic); // throws where an echo was wrong, or never came
    const sum = (of: (one: FaithfulClient) => number) =>
      clients.reduce((total, one) => total + of(one), 0);
    const gaps = clients.flatMap(({ gaps }) => gaps).sort((a, b) => a - b);
    const endings: Record<string, number> = {};
    for (const how of clients.flatMap(({ endings }) => endings))
      endings[how] = (endings[how] ?? 0) + 1;
    return {
      clients: CLIENTS,
      interrupted: clients.filter((one) => one.endings.length > 0).length,
      endings,
      longestGap: gaps.at(-1) ?? 0,
      medianGap: gaps[gaps.length >> 1] ?? 0,
      linesAnswered: sum((one) => one.answered),
      linesSentAgain: sum((one) => one.sentAgain),
      linesLost: 0,
    };
  } finally {
    await deployment.stop();
  }
}
