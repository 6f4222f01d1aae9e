/** The two kinds of load, and what is measured under each. */
import { createHistogram } from 'node:perf_hooks';
import { cpuSeconds } from '../cpu-time.ts';
import { busySeconds } from './busy.ts';
import type { Connection } from './connection.ts';
import { type Crowd, pause } from './crowd.ts';

export interface ClosedLoop {
  /** Lines in flight on each connection: the next is sent when one has come back. */
  readonly window: number;
  /** Seconds before and during the measurement. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Milliseconds over which the connections send their first lines, one after the other; 0 for all at once. */
  readonly beginOver?: number;
  /** The server's processes, if their CPU time is measured. */
  readonly pids?: readonly number[];
}

export interface Throughput {
  readonly linesPerSecond: number;
  readonly bytesPerSecond: number;
  /** All that came back, before and after the measurement, too. */
  readonly lines: number;
  /** The part of the time in which the generator had something to do: near 1, it was the limit. */
  readonly saturation: number;
  /** Seconds of CPU time that the server's processes used in a second: how many cores it kept busy. */
  readonly serverCores: number;
}

export interface OpenLoop {
  /** Lines a second, over all connections in turn, whether or not the server keeps up. */
  readonly rate: number;
  readonly warmUp: number;
  readonly seconds: number;
}

/** Times in microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly lines: number;
  /** How late the generator sent, p99 and p50: latency that is its own. */
  readonly ownLag: number;
  readonly ownLagMedian: number;
  /** As in `Throughput`: near 1, it may have seen late what was there in time. */
  readonly saturation: number;
}

/** Sends as many lines as the server can echo, with a fixed number in flight. All bytes are compared. */
export function closedLoop(
  crowd: Crowd,
  { window, warmUp, seconds, beginOver = 0, pids = [] }: ClosedLoop,
): Throughput {
  const { connections, epoll, lines } = crowd;
  const { lineLength } = lines;
  /** What a connection may have sent in all. */
  const allowance = (each: Connection) => (each.linesBack + window) * lineLength;
  connections.forEach((each, index) => {
    crowd.send(each, index, allowance(each));
    if (beginOver > 0) pause(beginOver / connections.length);
  });
  const linesBack = () => connections.reduce((sum, each) => sum + each.linesBack, 0);
  const before = linesBack();
  const warmAt = performance.now() + warmUp * 1000;
  let startedAt = 0;
  let busy = busySeconds();
  let cpu = 0;
  let bytes = 0;
  for (;;) {
    const ready = epoll.wait(100);
    const now = performance.now();
    if (startedAt === 0 && now >= warmAt) {
      startedAt = now;
      bytes = 0;
      busy = busySeconds();
      cpu = cpuSeconds(pids);
    } else if (startedAt > 0 && now >= startedAt + seconds * 1000) {
      const elapsed = (now - startedAt) / 1000;
      const saturation = (busySeconds() - busy) / elapsed;
      const serverCores = (cpuSeconds(pids) - cpu) / elapsed;
      crowd.drain();
      return {
        linesPerSecond: bytes / lineLength / elapsed,
        bytesPerSecond: bytes / elapsed,
        lines: linesBack() - before,
        saturation,
        serverCores,
      };
    }
    for (let i = 0; i < ready; i++) {
      const index = epoll.data(i);
      const connection = connections[index] as Connection;
      bytes += crowd.serve(index);
      const total = allowance(connection);
      if (connection.sent < total) crowd.send(connection, index, total);
    }
  }
}

/**
 * Sends lines at a fixed rate. The time of each is counted from the moment at which it was due, not from when it
 * was sent: if the server (or a full socket, or this process) delayed it, the delay is in the figure.
 *
 * @throws WrongEcho when an answer is wrong, or missing for the crowd's patience
 */
export function openLoop(crowd: Crowd, { rate, warmUp, seconds }: OpenLoop): Latency {
  const { connections, epoll, lines } = crowd;
  const { lineLength } = lines;
  const count = connections.length;
  const latency = createHistogram();
  const lag = createHistogram();
  const interval = 1000 / rate;
  const total = Math.round(rate * (warmUp + seconds));
  const firstMeasured = Math.round(rate * warmUp);
  const startedAt = performance.now() + 1;
  const before = connections.map(({ linesBack }) => linesBack);
  /** Lines that were due so far, and lines that are back. */
  let due = 0;
  let back = 0;
  const busy = busySeconds();
  /** When something was sent or came. */
  let activeAt = startedAt;
  while (back < total) {
    let now = performance.now();
    for (; due < total && startedAt + due * interval <= now; due++) {
      const index = due % count;
      const connection = connections[index] as Connection;
      const round = Math.floor(due / count);
      crowd.send(connection, index, ((before[index] as number) + round + 1) * lineLength);
      if (due >= firstMeasured) lag.record(nanoseconds(now - startedAt - due * interval));
      now = performance.now();
      activeAt = now;
    }
    const untilNext = due < total ? startedAt + due * interval - now : 50;
    const ready = epoll.waitPrecisely(untilNext);
    now = performance.now();
    for (let i = 0; i < ready; i++) {
      const index = epoll.data(i);
      const connection = connections[index] as Connection;
      const old = connection.linesBack;
      if (crowd.serve(index) > 0) activeAt = now;
      for (let line = old; line < connection.linesBack; line++) {
        const turn = (line - (before[index] as number)) * count + index;
        if (turn >= firstMeasured) latency.record(nanoseconds(now - startedAt - turn * interval));
        back++;
      }
    }
    if (now - activeAt > crowd.patience + interval) throw crowd.missing();
  }
  const at = (percentile: number) => latency.percentile(percentile) / 1000;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: latency.max / 1000,
    lines: latency.count,
    ownLag: lag.percentile(99) / 1000,
    ownLagMedian: lag.percentile(50) / 1000,
    saturation: (busySeconds() - busy) / ((performance.now() - startedAt) / 1000),
  };
}

/** For a histogram: a positive whole number. */
function nanoseconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds * 1e6));
}
