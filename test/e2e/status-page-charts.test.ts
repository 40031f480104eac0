import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Live } from '../../instrumentation/admin/live';
import type { SeriesName } from '../../instrumentation/history/contract';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { becomesTrue, legend, longMs, openBrowser, openPage } from '../helpers/browser';

let shop: AdminApp;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startAdminApp('known.js', { args: ['none'] }), openBrowser()]);
});
after(async () => {
  await browser?.close();
  await shop?.end();
});

type Samples = readonly Partial<Record<SeriesName, number>>[];

/** Has the page draw these samples, and those that are added later, in place of the application's. */
function feed(samples: Samples[number][]): (page: Page) => Promise<void> {
  const begin = Date.now() - 60_000;
  return async page => {
    await page.route('**/vitals/live?*', async route => {
      const response = await route.fetch();
      const live = (await response.json()) as Live;
      const from = Math.min(Number(new URL(route.request().url()).searchParams.get('after')), samples.length);
      const fresh = samples.slice(from);
      const names = new Set(fresh.flatMap(sample => Object.keys(sample) as SeriesName[]));
      const series = Object.fromEntries(
        [...names].map(name => [name, fresh.map(sample => sample[name] ?? null)]),
      );
      const at = fresh.map((_, i) => begin + (from + i) * 2000);
      await route.fulfill({
        response,
        json: { ...live, history: { intervalMs: 2000, last: samples.length, at, series } },
      });
    });
  };
}

/** Waits for a line of a legend to say something. */
async function says(page: Page, chart: string, line: string, expected: string): Promise<void> {
  const until = Date.now() + longMs;
  for (;;) {
    const said = await legend(page, chart);
    if (said[line] === expected) return;
    if (Date.now() > until) assert.equal(said[line], expected);
    await page.waitForTimeout(50);
  }
}

describe('the charts', () => {
  test('the numbers below a chart are the newest, and those below the cursor while it is there', async () => {
    const samples: Samples[number][] = [{ 'cpu/user': 4.3 }, { 'cpu/user': 8 }];
    const { page } = await openPage(browser, `${shop.url}/`, {}, feed(samples));
    await says(page, 'cpu', 'user', '8 %');
    samples.push({ 'cpu/user': 35.6 });
    await says(page, 'cpu', 'user', '35.6 %');

    const over = (await page.locator('[data-chart="cpu"] .u-over').boundingBox())!;
    // One minute is shown at least, so that the first sample stands near the right edge.
    await page.mouse.move(over.x + 5, over.y + 50);
    await says(page, 'cpu', 'user', '4.3 %');
    samples.push({ 'cpu/user': 60 });
    await page.waitForResponse('**/vitals/live?*');
    await page.waitForResponse('**/vitals/live?*');
    assert.equal((await legend(page, 'cpu'))['user'], '4.3 %', 'a resting cursor stays where it is');
    await page.mouse.move(over.x + over.width - 1, over.y + 50);
    await says(page, 'cpu', 'user', '60 %');
    samples.push({ 'cpu/user': 71 });
    await says(page, 'cpu', 'user', '71 %');
    await page.mouse.move(2, 2);
    samples.push({ 'cpu/user': 12 });
    await says(page, 'cpu', 'user', '12 %');
    await page.context().close();
  });

  test('a sample that no line leads to is drawn, and its number stays with its age', async () => {
    const samples: Samples[number][] = [{}, {}, { 'gc/major': 250 }, {}, {}, {}].map(sample => ({
      'cpu/user': 1,
      ...sample,
    }));
    const { page } = await openPage(browser, `${shop.url}/`, {}, feed(samples));
    await says(page, 'gc', 'major', '250 ms, 6 s ago');
    // Pixels of the line's colour, the first of the light theme.
    const pixels = Number(
      await page.evaluate(`(() => {
        const canvas = document.querySelector('[data-chart="gc"] canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i] === 0x1f && data[i + 1] === 0x6f && data[i + 2] === 0xd6 && data[i + 3] === 255) count++;
        }
        return count;
      })()`),
    );
    assert.ok(pixels >= 12 && pixels < 80, `${pixels} pixels`);
    assert.match((await page.locator('#chart-gc').textContent())!, /^Longest garbage collection pause/);
    await page.context().close();
  });
});

test('a page that is open asks for one thing a round, which has no report and no list in it', async () => {
  const { page } = await openPage(browser, `${shop.url}/`);
  await page.waitForSelector('[data-chart="cpu"] canvas', { timeout: longMs });
  await page.waitForSelector('#captures p', { timeout: longMs });
  const asked: string[] = [];
  page.on('request', request => asked.push(new URL(request.url()).pathname));
  const until = Date.now() + longMs;
  while (asked.length < 3 && Date.now() < until) await page.waitForTimeout(100);
  assert.deepEqual(asked.slice(0, 3), ['/vitals/live', '/vitals/live', '/vitals/live']);
  await page.context().close();
});

test('a server that takes a question and gives no answer is said too, and for how long', async () => {
  let silent = false;
  const { page } = await openPage(browser, `${shop.url}/`, {}, async page => {
    await page.route('**/vitals/live?*', async route => {
      if (!silent) await route.continue();
    });
  });
  await page.waitForSelector('[data-chart="cpu"] canvas', { timeout: longMs });
  assert.equal((await page.locator('#state').textContent())!.trim(), '');
  silent = true;
  for (const seconds of [5, 6]) {
    await becomesTrue(
      page,
      `document.getElementById('state').textContent === 'The server has not answered for ${seconds} s'`,
    );
  }
  await page.context().close();
});

test('while the event loop is blocked the page says so, and for how long, with nothing on the console', async () => {
  const app = await startAdminApp('blocks.js');
  try {
    const [, port] = await app.app.printed(/ready (\d+)/);
    const { page, complaints } = await openPage(browser, `${app.url}/`);
    await page.waitForSelector('[data-chart="cpu"] canvas', { timeout: longMs });
    const done = fetch(`http://127.0.0.1:${port}/?ms=9000`);
    const seen = new Set<number>();
    const read = async (): Promise<void> => {
      const said = await page.locator('#state').textContent();
      const [, seconds] =
        /^The event loop is blocked: the application has not answered for (\d+) s$/.exec(said!) ?? [];
      if (seconds !== undefined) seen.add(Number(seconds));
    };
    let over = false;
    void done.then(() => {
      over = true;
    });
    while (!over) {
      await read();
      await page.waitForTimeout(200);
    }
    const seconds = [...seen];
    assert.deepEqual(
      seconds,
      [...seconds].sort((a, b) => a - b),
      'it never goes back',
    );
    assert.ok(seconds.length >= 5, `every second is said, not ${seconds}`);
    assert.ok(seconds[seconds.length - 1]! >= 7 && seconds[seconds.length - 1]! <= 10, `${seconds}`);
    await becomesTrue(page, `document.getElementById('state').textContent.trim() === ''`);
    assert.deepEqual(complaints, []);
    await page.context().close();
  } finally {
    await app.end();
  }
});
