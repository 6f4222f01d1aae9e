/** The lab's web server: the lessons as pages, and a live session behind them. For this machine only. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { modelNames } from '../../conformance/models.ts';
import { lessons } from '../lessons/index.ts';
import { ActorProcess } from '../stage/remote-actor.ts';
import { model, type Server } from '../stage/servers.ts';
import type { ClientId } from '../trace.ts';
import { type Bundle, bundle } from './bundle.ts';
import { fileOf, lessonPage, ONE_ECHO } from './html.ts';
import { livePage } from './live-html.ts';
import { oneEchoPage } from './one-echo.ts';
import { recordingsOf } from './recordings.ts';
import { admit, answer, bodyOf, headersOf, Refusal } from './requests.ts';
import { Session } from './session.ts';
import type { Told } from './told.ts';
import { actOf, ownLesson, wishOf } from './wishes.ts';

export interface LabOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** A server of one's own, drawn beside the models. */
  readonly own?: Server;
}

/** The servers of the first session: why one stalls and the other does not. */
const FIRST = ['blocking', 'poll-loop'];

/** What a watcher may be behind, in bytes, before it is cut off; it then comes again, and gets everything. */
const MOST_BEHIND = 32 * 1024 * 1024;

/** A session that nobody watches for so long ends, in milliseconds: its servers cost something. */
const UNWATCHED = 5 * 60_000;

export class LabServer {
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #own: Server | undefined;
  readonly #watchers = new Set<ServerResponse>();
  readonly #bundles = new Map<string, Promise<Bundle>>();
  readonly #processes = new Map<ClientId, Promise<ActorProcess>>();
  readonly #http = createServer((request, response) => this.#handle(request, response));
  #session: Session | undefined;
  #tellFirstPage = () => {};
  /** Resolves when somebody has got a page, or anything else that was asked for. */
  readonly firstPage = new Promise<void>((resolve) => {
    this.#tellFirstPage = resolve;
  });
  #port = 0;
  #idle: NodeJS.Timeout | undefined;

  private constructor(own: Server | undefined) {
    this.#own = own;
    const all = [...(own ? [own] : []), ...modelNames().map(model)];
    this.#servers = new Map(all.map((server) => [server.name, server]));
  }

  /** Listens on loopback. @throws NodeJS.ErrnoException when the port is taken */
  static async start({ port, own }: LabOptions): Promise<LabServer> {
    const lab = new LabServer(own);
    lab.#http.listen({ host: '127.0.0.1', port });
    await once(lab.#http, 'listening');
    lab.#port = (lab.#http.address() as AddressInfo).port;
    // While the browser starts: whoever opens the page need not wait for it.
    lab.#bundle('lesson').catch(() => undefined);
    return lab;
  }

  /** What to open in a browser. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Starts the first session, so that its servers run by the time somebody presses a button. */
  warmUp(): void {
    if (this.#session) return;
    const known = FIRST.filter((name) => this.#servers.has(name));
    this.#begin({ servers: [...(this.#own ? [this.#own.name] : []), ...known] });
  }

  /** Ends everything that it has started. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    for (const watcher of this.#watchers) watcher.end();
    this.#http.close();
    this.#http.closeAllConnections();
    await this.#session?.close();
    const processes = await Promise.allSettled(this.#processes.values());
    await Promise.all(
      processes.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)),
    );
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      admit(request, this.#port);
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (request.method === 'POST') {
        await this.#post(pathname, await bodyOf(request));
        answer(response, 200, 'application/json', '{}');
      } else if (request.method === 'GET' || request.method === 'HEAD') {
        await this.#get(pathname, response);
        this.#tellFirstPage();
      } else {
        throw new Refusal(405, 'GET and POST only');
      }
    } catch (error) {
      const isTheirs = error instanceof Refusal;
      const text = isTheirs ? error.message : 'the lab itself has failed';
      if (!isTheirs) process.stderr.write(`lab: ${(error as Error).stack}\n`);
      if (!response.headersSent)
        answer(response, isTheirs ? error.status : 500, 'text/plain', text);
      response.end();
    }
  }

  async #get(path: string, response: ServerResponse): Promise<void> {
    if (path === '/events') return this.#watch(response);
    if (path === '/live.html') {
      const parts = await this.#bundle('live');
      const names = [...this.#servers.keys()];
      const page = livePage({ bundle: parts, servers: names, course: this.#course() });
      return answer(response, 200, 'text/html', page, parts.policy);
    }
    const course = this.#course();
    if (path === `/${ONE_ECHO}`) {
      const { page, policy } = await oneEchoPage(course);
      return answer(response, 200, 'text/html', page, policy);
    }
    const name = path === '/' ? 'index.html' : decodeURIComponent(path.slice(1));
    const lesson = course.find((one) => fileOf(one, course) === name || `${one.id}.html` === name);
    if (!lesson) throw new Refusal(404, 'there is no such page');
    const parts = await this.#bundle('lesson');
    const traces = recordingsOf(lesson);
    const page = lessonPage({
      ...{ lesson, course, traces, bundle: parts, live: 'live.html' },
      ...(this.#own ? { own: this.#own.name } : {}),
    });
    answer(response, 200, 'text/html', page, parts.policy);
  }

  #course() {
    return lessons.filter((lesson) => recordingsOf(lesson).length > 0);
  }

  #bundle(entry: 'lesson' | 'live'): Promise<Bundle> {
    const known = this.#bundles.get(entry);
    if (known) return known;
    const made = bundle(entry, entry === 'live');
    this.#bundles.set(entry, made);
    return made;
  }

  async #post(path: string, body: unknown): Promise<void> {
    if (path === '/begin') return this.#begin(body);
    if (path === '/check') {
      ownLesson(body);
      return;
    }
    if (path !== '/act') throw new Refusal(404, 'nothing to be done there');
    const { who } = body as { who?: unknown };
    if (typeof who !== 'string') throw new Refusal(400, 'who?');
    const isDone = this.#session?.act(who, actOf(body));
    if (!isDone) throw new Refusal(409, 'no server is ready');
  }

  /** Ends the session that is, and begins another. */
  #begin(body: unknown): void {
    const wish = wishOf(body, [...this.#servers.keys()]);
    const servers = wish.servers.flatMap((name) => this.#servers.get(name) ?? []);
    const before = this.#session;
    const session: Session = new Session(
      wish,
      servers,
      (ids) => this.#processesFor(ids),
      (told) => {
        if (this.#session === session) this.#tell(told);
      },
    );
    this.#session = session;
    this.#watchIdle();
    // The servers that are left must not compete with those that start.
    Promise.resolve(before?.close()).then(() => {
      if (this.#session === session) session.start();
    });
  }

  /** A process for each client, the same in all sessions: to start one takes longer than all the rest. */
  async #processesFor(ids: readonly ClientId[]): Promise<ReadonlyMap<ClientId, ActorProcess>> {
    for (const id of ids) {
      if (!this.#processes.has(id)) this.#processes.set(id, ActorProcess.start());
    }
    return new Map(
      await Promise.all(
        ids.map(
          async (id) => [id, await (this.#processes.get(id) as Promise<ActorProcess>)] as const,
        ),
      ),
    );
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, headersOf('text/event-stream'));
    response.write('retry: 500\n\n');
    if (!this.#session) this.warmUp();
    for (const told of this.#session?.history() ?? []) send(response, told);
    this.#watchers.add(response);
    this.#watchIdle();
    response.on('close', () => {
      this.#watchers.delete(response);
      this.#watchIdle();
    });
  }

  #tell(told: Told): void {
    for (const watcher of this.#watchers) {
      if (watcher.writableLength > MOST_BEHIND) watcher.destroy();
      else send(watcher, told);
    }
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    if (this.#watchers.size > 0) return;
    this.#idle = setTimeout(() => {
      const session = this.#session;
      this.#session = undefined;
      session?.close().catch(() => undefined);
    }, UNWATCHED).unref();
  }
}

function send(response: ServerResponse, told: Told): void {
  response.write(`data: ${JSON.stringify(told)}\n\n`);
}
