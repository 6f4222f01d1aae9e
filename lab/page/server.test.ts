/** The lab's server: whom it answers, and what happens when somebody is the clients. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { browserPath, launch } from './browser.ts';
import { Refusal } from './requests.ts';
import { LabServer } from './server.ts';
import { ownLesson, wishOf } from './wishes.ts';

let lab: LabServer;
beforeAll(async () => {
  lab = await LabServer.start({ port: 0 });
});
afterAll(() => lab?.close());

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Asks without a browser, which would not lie about who it is. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const asking = request(new URL(path, lab.url), { method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      });
      asking.on('error', reject);
      asking.end(body);
    },
  );
}

const own = () => ({ origin: lab.url.slice(0, -1) });

test('pages come with a policy that admits nothing from elsewhere', async () => {
  for (const path of ['/', '/six-pieces.html', '/live.html']) {
    const { status, headers, text } = await ask(path);
    expect(status, text).toBe(200);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[^']+'; style-src 'sha256-[^']+'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(text).toContain('<!doctype html>');
  }
  expect((await ask('/nothing.html')).status).toBe(404);
  expect((await ask('/../package.json')).status).toBe(404);
  expect((await ask('/', { method: 'DELETE', headers: own() })).status).toBe(405);
});

test('a page of another origin can start nothing, and another name gets no answer', async () => {
  const begin = JSON.stringify({ servers: ['blocking'] });
  const strangers: Asked[] = [
    { method: 'POST', body: begin },
    { method: 'POST', body: begin, headers: { origin: 'http://evil.example' } },
    { method: 'POST', body: begin, headers: { origin: 'null' } },
    { method: 'POST', body: begin, headers: { ...own(), host: 'evil.example' } },
    {
      method: 'POST',
      body: begin,
      headers: { ...own(), host: `evil.example:${new URL(lab.url).port}` },
    },
  ];
  for (const stranger of strangers) {
    expect((await ask('/begin', stranger)).status, JSON.stringify(stranger)).toBe(403);
  }
  const events = await ask('/events', { headers: { origin: 'http://evil.example' } });
  expect(events.status).toBe(403);
  const rebound = await ask('/', { headers: { host: 'evil.example' } });
  expect(rebound).toMatchObject({ status: 403, text: 'this is no name of this server' });
});

test('what makes no sense is refused, and ends nothing', async () => {
  const post = (path: string, body: string) => ask(path, { method: 'POST', headers: own(), body });
  expect(await post('/begin', 'no json')).toMatchObject({ status: 400, text: 'that is no JSON' });
  expect(await post('/begin', 'x'.repeat(300_000))).toMatchObject({ status: 413 });
  expect(await post('/begin', '{"servers":["../etc"]}')).toMatchObject({ status: 400 });
  expect(await post('/act', '{"who":"A","do":"connect"}')).toMatchObject({ status: 409 });
  expect(await post('/act', '[]')).toMatchObject({ status: 400 });
  expect(await post('/etc', '{}')).toMatchObject({ status: 404 });
  expect((await ask('/')).status).toBe(200);
});

test('a wish is checked piece by piece', () => {
  const known = ['blocking', 'rxjs'];
  expect(wishOf({ servers: ['rxjs', 'rxjs'], work: 200 }, known)).toEqual({
    servers: ['rxjs'],
    args: ['--work', '200'],
  });
  expect(wishOf({ servers: ['rxjs'], lesson: 'half-a-line' }, known).play?.duration).toBe(2000);
  const lesson = {
    title: 'mine',
    clients: { A: 'Anna' },
    args: ['--wait', '100'],
    duration: 1000,
    script: [
      { at: 100, who: 'A', do: 'send', text: 'x\r\n', more: 1 },
      { at: 0, who: 'A', do: 'connect' },
    ],
  };
  expect(ownLesson(lesson).script).toEqual([
    { at: 0, who: 'A', do: 'connect' },
    { at: 100, who: 'A', do: 'send', text: 'x\r\n' },
  ]);
  const wrong: [unknown, RegExp][] = [
    [null, /object/],
    [{ servers: [] }, /choose a server/],
    [{ servers: ['rxjs'], work: -1 }, /--work is a number/],
    [{ servers: ['rxjs'], work: '1' }, /--work is a number/],
    [{ servers: ['rxjs'], lesson: 'no' }, /no such lesson/],
    [{ servers: ['rxjs'], own: { ...lesson, args: ['--host', '0.0.0.0'] } }, /arguments/],
    [{ servers: ['rxjs'], own: { ...lesson, duration: 1e9 } }, /duration/],
    [{ servers: ['rxjs'], own: { ...lesson, clients: { Z: 'Zoe' } } }, /A to F/],
    [{ servers: ['rxjs'], own: { ...lesson, script: [{ at: 0, who: 'B', do: 'end' }] } }, /client/],
    [{ servers: ['rxjs'], own: { ...lesson, script: [{ at: 0, who: 'A', do: 'rm' }] } }, /nobody/],
    [{ servers: ['rxjs'], own: { ...lesson, script: Array(501).fill(lesson.script[1]) } }, /steps/],
  ];
  for (const [value, message] of wrong) {
    expect(() => wishOf(value, known), JSON.stringify(value)).toThrow(message);
    expect(() => wishOf(value, known)).toThrow(Refusal);
  }
});

describe.skipIf(!browserPath || process.platform !== 'linux')('in a browser', () => {
  let browser: Browser;
  const troubles: string[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'lab-live-'));
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true });
  });
  afterEach(() => expect(troubles.splice(0)).toEqual([]));

  async function open(path: string): Promise<Page> {
    const page = await browser.newPage({
      viewport: { width: 1000, height: 900 },
      bypassCSP: false,
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(lab.url)) troubles.push(`asks for ${request.url()}`);
    });
    await page.goto(new URL(path, lab.url).href);
    return page;
  }

  const status = (page: Page) => page.innerText('#status');
  const card = (page: Page, name: string) =>
    page.locator(`.model[aria-label=${name}]`).innerText({ timeout: 5000 });

  test('keys and buttons act on all servers at once; who comes late sees it all; it can be kept', {
    timeout: 120_000,
  }, async () => {
    const page = await open('/live.html');
    await expect.poll(() => status(page), { timeout: 40_000 }).toBe('Ready.');
    await page.keyboard.press('c');
    await expect.poll(() => page.isEnabled('button[data-who=A][data-act=line]')).toBe(true);
    await page.keyboard.press('h');
    await expect.poll(() => page.isEnabled('button[data-who=A][data-act=rest]')).toBe(true);
    await page.click('button[data-who=B][data-act=connect]');
    await page.click('button[data-who=B][data-act=line]');
    await expect.poll(() => card(page, 'blocking')).toContain('Ben waits in the backlog');
    await expect.poll(() => card(page, 'blocking')).toContain('waits in recv(2) for Anna');
    await expect.poll(() => card(page, 'poll-loop')).toContain('for Anna, Ben or a new client');
    expect(await card(page, 'poll-loop')).not.toContain('Ben waits');

    // Somebody comes late, in another window.
    const late = await open('/live.html');
    await expect.poll(() => card(late, 'blocking')).toContain('Ben waits in the backlog');
    expect(await late.innerText('#script')).toContain('A1 ha…');
    await late.click('button[data-who=A][data-act=end]');
    await expect.poll(() => card(page, 'blocking')).toContain('waits in recv(2) for Ben');
    await late.close();

    // axe, of a page that moves.
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await page.evaluate(axe);
    const violations = await page.evaluate<string[]>(
      'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)].join(" ")))',
    );
    expect(violations).toEqual([]);

    // It is a lesson now: as a file, and played again on one server alone.
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    const file = join(directory, 'lesson.json');
    await download.saveAs(file);
    const kept = ownLesson(JSON.parse(readFileSync(file, 'utf8')));
    expect(kept.script.map(({ who, do: what }) => `${who} ${what}`)).toEqual([
      ...['A connect', 'A send', 'B connect', 'B send', 'A end'],
    ]);
    // Faster, so that this test does not take long.
    const short = { ...kept, title: 'Mine', duration: 900 };
    const script = kept.script.map((step, i) => ({ ...step, at: 100 * i }));
    writeFileSync(file, JSON.stringify({ ...short, script }));
    await page.uncheck('#chooser input[value=blocking]');
    await expect.poll(() => status(page), { timeout: 40_000 }).toBe('Ready.');
    await page.setInputFiles('#open', file);
    await expect.poll(() => status(page), { timeout: 40_000 }).toMatch(/^The lesson has ended/);
    expect(await page.innerText('h1')).toBe('Mine');
    expect(await card(page, 'poll-loop')).toMatch(/\d\sms longest wait/);
    expect(await page.locator('.model').count()).toBe(1);
    await page.close();
  });

  test('a refused act says why until the next act, whatever happens meanwhile', {
    timeout: 60_000,
  }, async () => {
    const page = await open('/live.html');
    const post = (path: string, body: object) =>
      ask(path, { method: 'POST', headers: own(), body: JSON.stringify(body) });
    await post('/begin', { servers: ['events'] });
    await expect
      .poll(() => page.isVisible('.model[aria-label=events]'), { timeout: 40_000 })
      .toBe(true);
    await expect.poll(() => status(page), { timeout: 40_000 }).toBe('Ready.');
    await page.uncheck('#chooser input[value=events]');
    await expect.poll(() => status(page)).toBe('This was refused: choose a server.');

    // Somebody else acts, and this page draws it: it is told much after the refusal.
    await post('/act', { who: 'B', do: 'connect' });
    await post('/act', { who: 'B', do: 'send', text: 'fence\r\n' });
    await expect.poll(() => page.innerText('#script')).toContain('fence⏎');
    await expect.poll(() => page.innerHTML('.lanes')).toContain('class="echo"');
    expect(await status(page)).toBe('This was refused: choose a server.');
    await page.click('button[data-who=A][data-act=connect]');
    await expect.poll(() => status(page)).toBe('Ready.');

    // What the lab admits and a client cannot do is told by the server's name.
    await post('/act', { who: 'C', do: 'pause' });
    await expect.poll(() => status(page)).toBe('events: Cleo: not connected.');
    await page.click('button[data-who=A][data-act=line]');
    await expect.poll(() => status(page)).toBe('Ready.');
    await page.close();
  });

  test('a lesson’s page leads to the live one, and plays there', { timeout: 60_000 }, async () => {
    const page = await open('/');
    await page.click('#reveal');
    expect(await page.getAttribute('nav a[href^=live]', 'href')).toBe('live.html');
    expect(await page.getAttribute('#here', 'href')).toMatch(
      /^live\.html#play=half-a-line&title=[^&]+&show=blocking/,
    );
    await page.close();
  });
});
