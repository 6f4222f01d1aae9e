/** The lessons' pages in a real browser, from files: as somebody reads them who has nothing else. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lesson } from '../lesson.ts';
import { lessons } from '../lessons/index.ts';
import { total } from '../picture/story.ts';
import type { BufferFact, Trace } from '../trace.ts';
import { browserPath, launch } from './browser.ts';
import { course } from './docs.ts';
import { drawn } from './drawn.ts';
import { exportTo } from './export.ts';
import { dataOf, fileOf, ONE_ECHO } from './html.ts';
import { recordingsOf } from './recordings.ts';
import { find } from './source.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-'));
let files: string[] = [];
beforeAll(async () => {
  files = await exportTo(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

const recorded = lessons.filter((lesson) => recordingsOf(lesson).length > 0);
/** The lessons’ pages. */
const pages = () => files.filter((file) => file.endsWith('.html') && file !== ONE_ECHO);

test('there is a page for each recorded lesson, and none is larger than 200 KB', () => {
  expect(pages()).toHaveLength(recorded.length);
  expect(pages()[0]).toBe('index.html');
  for (const file of files)
    expect(statSync(join(directory, file)).size, file).toBeLessThan(200_000);
});

test('a page holds no address of anywhere else', () => {
  for (const file of files) {
    // The recordings are in base64, in which anything may stand.
    const text = readFileSync(join(directory, file), 'utf8').replace(/id="data">[^<]*/, '');
    const addresses = text.match(/\b(https?:)?\/\/[a-z][\w.-]+/gi) ?? [];
    expect(addresses.filter((one) => !one.includes('www.w3.org'))).toEqual([]);
    expect(text).not.toMatch(/ (src|style)=|@import|url\((?!#|"#)/);
  }
});

test('a page has fewer samples of a flood than its recording, and the same peaks', () => {
  const flood = lessons.find(({ id }) => id === 'a-flood') as Lesson;
  for (const trace of recordingsOf(flood)) {
    const page = drawn(trace);
    const samplesOf = ({ facts }: Trace, client: string) =>
      facts.filter((fact): fact is BufferFact => fact.fact === 'buffers' && fact.client === client);
    const [all, kept] = [samplesOf(trace, 'A'), samplesOf(page, 'A')];
    expect(kept.length).toBeLessThan(all.length);
    expect(kept.length).toBeLessThanOrEqual(802);
    // What was so at the end of the flood stays so: Anna has left, and nothing of hers is in a buffer.
    expect(total(kept.at(-1) as BufferFact)).toBe(total(all.at(-1) as BufferFact));
    expect(Math.max(...kept.map(total))).toBe(Math.max(...all.map(total)));
    expect(samplesOf(page, 'B')).toEqual(samplesOf(trace, 'B'));
    expect(page.facts.map(({ t }) => t)).toEqual(
      page.facts.map(({ t }) => t).sort((a, b) => a - b),
    );
  }
});

/** Numbers of lines change with every comment above them: no reason to write all pages anew. */
const lasting = (key: string, value: unknown) => (key === 'lines' ? undefined : value);

test('docs/course.md and docs/lab show what was recorded', () => {
  // After a change: npm run lab:docs
  expect(readFileSync(new URL('../../docs/course.md', import.meta.url), 'utf8')).toBe(course());
  for (const lesson of recorded) {
    const file = new URL(`../../docs/lab/${fileOf(lesson, recorded)}`, import.meta.url);
    const [, packed = ''] = /id="data">([^<]*)</.exec(readFileSync(file, 'utf8')) ?? [];
    const then = JSON.parse(String(inflateRawSync(Buffer.from(packed, 'base64'))), lasting);
    const now = JSON.parse(JSON.stringify(dataOf(lesson, recordingsOf(lesson))), lasting);
    expect(then, lesson.id).toEqual(now);
  }
});

test('the picture that stands alone is there, wide and narrow, in words as well', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const widths = ['half-a-line.svg', 'half-a-line-narrow.svg'].map((name) => {
    expect(readme).toContain(`"docs/lab/${name}"`);
    const picture = readFileSync(join(directory, name), 'utf8');
    expect(picture).toMatch(/At [\d,]+ ms: The process waits in recv\(2\)/);
    expect(picture).toMatch(/aria-label="[^"]*blocking: [^"]+ms/);
    return Number(/ width="(\d+)"/.exec(picture)?.[1]);
  });
  expect(widths).toEqual([860, 430]);
});

test('no label of that picture is crossed out: the moment is drawn below all else', () => {
  const picture = readFileSync(join(directory, 'half-a-line.svg'), 'utf8');
  expect(picture.match(/class="card"[^>]*><path class="cursor-line"/g)).toHaveLength(2);
  expect(picture.match(/class="ground"[^>]*><path class="cursor-line"/g)).toHaveLength(1);
  expect(picture.match(/class="cursor-line"/g)).toHaveLength(3);
});

test('a line of source is found by a text that occurs once', () => {
  expect(
    find({ file: 'lab/page/source.ts', text: 'export function find(' }).number,
  ).toBeGreaterThan(5);
  expect(() => find({ file: 'lab/page/source.ts', text: 'const ' })).toThrow(/has \d+ lines with/);
  expect(() => find({ file: 'lab/page/source.ts', text: 'no such' + ' text' })).toThrow(
    /has 0 lines/,
  );
});

describe.skipIf(!browserPath)('in a browser', () => {
  let browser: Browser;
  const troubles: string[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  afterEach(() => {
    expect(troubles.splice(0)).toEqual([]);
  });

  async function open(file: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('file://')) troubles.push(`asks for ${request.url()}`);
    });
    await page.goto(pathToFileURL(join(directory, file)).href);
    await page.waitForSelector('#guesses fieldset');
    return page;
  }

  test('one guesses first, and sees then', async () => {
    const page = await open('index.html');
    expect(await page.isVisible('.model')).toBe(false);
    expect(await page.isVisible('.explanation')).toBe(false);
    expect(await page.innerText('#script')).toContain('hal…');
    // A newcomer does not know the names.
    expect(await page.innerText('[data-server=poll-loop]')).toContain('one loop over poll(2)');
    await page.check('[data-server=blocking] input[value="2"]');
    await page.check('[data-server=poll-loop] input[value="2"]');
    await page.click('#reveal');
    expect(await page.innerText('#score')).toBe('1 of 2 right.');
    expect(await page.evaluate('document.activeElement.id')).toBe('time');
    expect(await page.innerText('[data-server=poll-loop]')).toContain('✗ you guessed');
    const said = page.locator('.model[aria-label=blocking] .said');
    expect(await said.innerText()).toContain('waits in recv(2) for Anna, and for nobody else');
    expect(await said.innerText()).toContain('Ben waits in the backlog');
    expect(await said.innerText()).toContain('blocking-net/echo.ts:');
    const other = page.locator('.model[aria-label=poll-loop] .said');
    expect(await other.innerText()).toContain('waits in poll(2) for Anna, Ben or a new client');
    expect(await page.isVisible('.explanation')).toBe(true);
    await page.close();
  });

  test('the arrow keys choose a guess, and step only when there is something to step through', async () => {
    const page = await open('index.html');
    const guess = (value: number) => page.locator(`[data-server=blocking] input[value="${value}"]`);
    await guess(0).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await guess(2).isChecked()).toBe(true);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowDown');
    expect(await guess(2).isChecked()).toBe(true);
    expect(await page.isVisible('#time')).toBe(false);
    // Tab goes on to the next server, where nothing is guessed yet; the arrows stay within it.
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowUp');
    expect(await page.locator('#guesses input:checked').count()).toBe(2);
    expect(await page.inputValue('[data-server=poll-loop] input:checked')).toBe('2');
    await page.click('#reveal');
    expect(await page.innerText('#score')).toBe('1 of 2 right.');
    expect(await page.innerText('[data-server=poll-loop]')).toContain('you guessed: When Anna has');
    await page.close();
  });

  test('the keyboard steps from event to event, and everything is said as well as drawn', async () => {
    const page = await open('index.html');
    await page.focus('#reveal');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Home');
    const heard = new Set<string>();
    for (let i = 0; i < 60; i++) {
      heard.add(await page.innerText('#now'));
      await page.keyboard.press('ArrowRight');
    }
    const all = [...heard].join('\n');
    for (const what of ['Anna connects', 'Ben connects', 'a piece: “hal”', 'Ben sends “two”']) {
      expect(all).toContain(what);
    }
    const before = await page.inputValue('#time');
    await page.keyboard.press('ArrowLeft');
    expect(Number(await page.inputValue('#time'))).toBeLessThan(Number(before));
    await page.keyboard.press('Shift+ArrowLeft');
    expect(await page.innerText('#told')).toContain('poll-loop: ');
    await page.keyboard.press('End');
    expect(await page.inputValue('#time')).toBe(await page.getAttribute('#time', 'max'));
    expect(await page.locator('.sentences').allInnerTexts()).not.toContain('');
    // The address leads back to the same moment, between two events as well.
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Shift+ArrowLeft');
    const [hash, clock] = [await page.evaluate('location.hash'), await page.innerText('#clock')];
    await page.goto('about:blank');
    await page.goto(pathToFileURL(join(directory, 'index.html')).href + String(hash));
    await page.waitForSelector('.model');
    expect(await page.innerText('#clock')).toBe(clock);
    await page.close();
  });

  test('a click on a line of source marks when that was so, and a second one unmarks', async () => {
    const page = await open('index.html');
    await page.click('#reveal');
    const card = page.locator('.model[aria-label=blocking]');
    const marked = page.locator('.lanes .at');
    const times = card.locator('.times');
    expect(await marked.count()).toBe(0);
    const recv = await card.locator('.lanes [data-at=recv]').count();
    expect(recv).toBeGreaterThan(0);
    await card.locator('.line button').click();
    expect(await card.locator('.lanes .at[data-at=recv]').count()).toBe(recv);
    expect(await marked.count()).toBe(recv);
    expect(await times.innerText()).toMatch(
      /^Marked above: all the time in which this was so, [\d,]+\sms( over all threads)?\.$/,
    );
    // It stays while one looks around, and when all is drawn anew.
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.setViewportSize({ width: 700, height: 900 });
    await redrawn(page);
    expect(await marked.count()).toBeGreaterThan(0);
    expect(await marked.count()).toBe(await card.locator('.lanes [data-at=recv]').count());
    // By key as well; another line takes the mark over, and the focus stays for the key that takes it back.
    await card.locator('.line button').focus();
    const when = await card.locator('.line button').getAttribute('data-when');
    expect(when).toBe('accept');
    await page.keyboard.press('Enter');
    expect(await card.locator('.lanes .at[data-at=accept]').count()).toBe(await marked.count());
    await page.keyboard.press('Enter');
    expect(await marked.count()).toBe(0);
    expect(await times.innerText()).toBe('');
    await page.close();
  });

  test('the pointer scrubs, play plays, and other servers can be chosen', async () => {
    const page = await open('index.html');
    await page.click('#reveal');
    const plot = await page.locator('.model .plot').first().boundingBox();
    if (!plot) throw new Error('no plot');
    await page.mouse.move(plot.x + plot.width * 0.2, plot.y + 20);
    await page.mouse.down();
    const early = Number(await page.inputValue('#time'));
    await page.mouse.move(plot.x + plot.width * 0.9, plot.y + 20);
    await page.mouse.up();
    expect(Number(await page.inputValue('#time'))).toBeGreaterThan(early + 500);
    await page.click('#play');
    await expect.poll(async () => Number(await page.inputValue('#time'))).toBeGreaterThan(1990);
    expect(await page.innerText('#forms')).toContain('server waits for this client only');
    await page.uncheck('#chooser input[value=blocking]');
    // The forms that are explained are those of the pictures that are left.
    expect(await page.innerText('#forms')).not.toContain('server waits for this client only');
    expect(await page.locator('.model').count()).toBe(
      await page.locator('#chooser input:checked').count(),
    );
    expect(await page.isVisible('.model[aria-label=blocking]')).toBe(false);
    await page.close();
  });

  test.each([
    ['light', 1100],
    ['dark', 400],
  ] as const)('axe finds nothing: %s, %i pixels wide', async (colorScheme, width) => {
    const page = await open('who-waits-for-whom.html', {
      ...{ colorScheme, viewport: { width, height: 900 }, bypassCSP: true },
    });
    for (const step of ['before', 'after']) {
      if (step === 'after') await page.click('#reveal');
      await page.evaluate(axe());
      const violations = await page.evaluate<string[]>(VIOLATIONS);
      expect(violations, step).toEqual([]);
    }
    await page.close();
  });

  test('the way of one echo is a page without a script, and axe finds nothing in it', async () => {
    const page = await browser.newPage({ viewport: { width: 400, height: 900 }, bypassCSP: true });
    await page.goto(pathToFileURL(join(directory, ONE_ECHO)).href);
    expect(await page.locator('script').count()).toBe(0);
    expect(await page.locator('#poll-loop').count()).toBe(1);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    await page.evaluate(axe());
    expect(await page.evaluate<string[]>(VIOLATIONS)).toEqual([]);
    await page.close();
  });

  test('at every width nothing sticks out, and no text lies on another', {
    timeout: 120_000,
  }, async () => {
    const page = await open('index.html');
    for (const file of pages()) {
      await page.goto(pathToFileURL(join(directory, file)).href);
      await page.click('#reveal');
      for (const width of [1600, 700, 400]) {
        await page.setViewportSize({ width, height: 900 });
        await redrawn(page);
        const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(over, `${file} at ${width}`).toBeLessThanOrEqual(0);
        expect(await page.evaluate<string[]>(COLLISIONS), `${file} at ${width}`).toEqual([]);
      }
    }
    await page.close();
  });

  test('no line ends between a number and its unit', async () => {
    const page = await open('index.html');
    for (const file of files.filter((one) => one.endsWith('.html'))) {
      await page.goto(pathToFileURL(join(directory, file)).href);
      if (file !== ONE_ECHO) await page.click('#reveal');
      expect(await page.evaluate<string[]>(BREAKABLE), file).toEqual([]);
    }
    await page.goto(pathToFileURL(join(directory, 'where-are-the-bytes.html')).href);
    await page.click('#reveal');
    expect(await page.textContent('.said')).toMatch(/\d\u00a0MB in/);
    await page.close();
  });

  test('on paper there is the picture, and nothing to press', async () => {
    const page = await open('index.html', { colorScheme: 'dark' });
    await page.click('#reveal');
    await page.emulateMedia({ media: 'print' });
    expect(await page.isVisible('.controls')).toBe(false);
    expect(await page.isVisible('.model svg')).toBe(true);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
    // What has to be opened on a screen is open on paper, and closed again afterwards.
    const answer = page.locator('details', { hasText: 'It cannot. connect(2) succeeds' });
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await answer.locator('p').isVisible()).toBe(true);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await answer.getAttribute('open')).toBeNull();
    await page.close();
  });
});

/** Waits until the picture is as wide as its place. The page admits no script, and none to wait with. */
async function redrawn(page: Page): Promise<void> {
  const widths = `[document.querySelector('.model svg'), document.getElementById('figure')].map((one) => one.clientWidth)`;
  await expect
    .poll(async () => {
      const [picture = 0, place = 0] = await page.evaluate<number[]>(widths);
      return Math.abs(picture - place);
    })
    .toBeLessThan(2);
}

/** axe, to be run in a page. */
function axe(): string {
  return readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
}

/** What axe finds, a line each. */
const VIOLATIONS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)].join(' ')))`;

/** Texts in which a line may end between a number and its unit; those of a picture are not broken into lines. */
const BREAKABLE = `(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { parentElement, data } = texts.currentNode;
    if (parentElement.closest('script, style, svg, pre')) continue;
    found.push(...(data.match(/.{0,20}\\d (µs|ms|s|seconds?|minutes?|bytes?|[kMG]B)\\b/g) ?? []));
  }
  return found;
})()`;

/** Pairs of texts of one picture that lie upon each other, or outside it. */
const COLLISIONS = `(() => {
  const found = [];
  for (const svg of document.querySelectorAll('#figure svg.picture')) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    texts.forEach(({ text, box }, i) => {
      if (box.left < frame.left - 2 || box.right > frame.right + 2) found.push('outside: ' + text);
      for (const other of texts.slice(i + 1)) {
        const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (width > 2 && height > 5) found.push(text + ' | ' + other.text);
      }
    });
  }
  return found;
})()`;
