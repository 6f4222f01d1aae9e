/** `npx tsx lab`: a page on loopback, until somebody ends it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Lesson } from './lesson.ts';
import { LabServer } from './page/server.ts';
import type { Server } from './stage/servers.ts';

export interface ServeOptions {
  readonly port: number;
  /** Opens the browser. */
  readonly open: boolean;
  readonly lesson?: Lesson;
  readonly own?: Server;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Milliseconds in which a browser draws the first page. */
const BEHIND = 500;

/** @returns the exit code */
export async function serve({ port, open, lesson, own, signal }: ServeOptions): Promise<number> {
  const lab = await start(port, own);
  // A lesson is shown from its recording; a server of one's own has none.
  const page = lesson ? `${lesson.id}.html` : own ? 'live.html' : '';
  const url = new URL(page, lab.url).href;
  process.stdout.write(`The lab: ${url} (Ctrl-C ends it)\n`);
  if (open) openBrowser(url);
  // Behind the first page, not before it: servers cost seconds of CPU to start.
  lab.firstPage.then(() => setTimeout(() => lab.warmUp(), BEHIND).unref());
  if (!signal.aborted) await once(signal, 'abort');
  await lab.close();
  return 0;
}

async function start(port: number, own: Server | undefined): Promise<LabServer> {
  try {
    return await LabServer.start({ port, ...(own ? { own } : {}) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`${message}: choose another port with --port, or --port 0 for a free one`);
  }
}

function openBrowser(url: string): void {
  const [program, ...before] = process.platform === 'darwin' ? ['open'] : ['xdg-open'];
  const child = spawn(program as string, [...before, url], { stdio: 'ignore', detached: true });
  child.on('error', () => process.stderr.write(`lab: there is no ${program}; open it yourself\n`));
  child.unref();
}
