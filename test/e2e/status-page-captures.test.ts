import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { CaptureRecord } from '../../instrumentation/profiling/capture';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { becomesTrue, longMs, openBrowser, openPage } from '../helpers/browser';

const longName = 'a-service-'.repeat(12);
let shop: AdminApp;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([
    startAdminApp('page.js', { env: { OTEL_SERVICE_NAME: longName.replaceAll('-', '') } }),
    openBrowser(),
  ]);
  await (await shop.post('/profiling/start?type=cpu&duration=1s')).text();
  for (;;) {
    const { captures } = (await shop.json<unknown>('/profiling/captures')) as { captures: CaptureRecord[] };
    const [taken] = captures;
    if (taken !== undefined) {
      copy(taken, 44);
      break;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
});
after(async () => {
  await browser?.close();
  await shop?.end();
});

/** Puts captures into the folder that are the same but for their time. */
function copy(record: CaptureRecord, times: number): void {
  const data = readFileSync(join(shop.folder, `${record.id}.pb.gz`));
  for (let i = 1; i <= times; i++) {
    const startedAt = new Date(Date.parse(record.startedAt) - i * 60_000).toISOString();
    const id = `cpu-${startedAt.replaceAll(/[-:.]/g, '')}-${i.toString(16).padStart(8, '0')}`;
    writeFileSync(join(shop.folder, `${id}.pb.gz`), data);
    writeFileSync(join(shop.folder, `${id}.json`), JSON.stringify({ ...record, id, startedAt }));
  }
}

const rows = (page: Page) => page.locator('#captures tbody tr').count();
const number = async (page: Page, expression: string): Promise<number> =>
  Number(await page.evaluate(expression));

test('the newest twenty captures are listed, and all when asked for', async () => {
  const { page, complaints } = await openPage(browser, `${shop.url}/`);
  await page.waitForSelector('#captures table', { timeout: longMs });
  assert.equal(await rows(page), 20);
  await page.click('text=Show all 45');
  assert.equal(await rows(page), 45);
  assert.equal(await page.locator('text=Show all').count(), 0);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the flame graph of a capture that is far down the list comes into sight, and goes when it is closed', async () => {
  const { page } = await openPage(browser, `${shop.url}/`);
  await page.waitForSelector('#captures table', { timeout: longMs });
  await page.click('text=Show all 45');
  await page.locator('[data-flame]').nth(40).click();
  await page.waitForSelector('#flame canvas', { timeout: longMs });
  const place = (await page.locator('#flame canvas').boundingBox())!;
  assert.ok(place.y > 0 && place.y < 500, `${place.y} pixels from the top of the window`);
  assert.equal(await page.evaluate('document.activeElement.id'), 'flame-title');
  await page.click('text=Close');
  assert.equal(await page.locator('#flame-section').isVisible(), false);
  assert.equal(await page.evaluate('document.activeElement.id'), 'captures');
  await page.context().close();
});

test('a capture that another process takes is listed without being asked for', async () => {
  const { page } = await openPage(browser, `${shop.url}/`);
  await page.waitForSelector('#captures table', { timeout: longMs });
  await (await shop.post('/profiling/start?type=heap')).text();
  await becomesTrue(page, `document.querySelector('#captures tbody td').textContent === 'heap'`);
  await page.context().close();
});

test('on a phone the list of functions is a few screens at most, with its figures whole', async () => {
  const { page } = await openPage(browser, `${shop.url}/`, {
    viewport: { width: 360, height: 740 },
    isMobile: true,
    hasTouch: true,
  });
  await page.waitForSelector('#captures table', { timeout: longMs });
  await page.locator('[data-flame]').nth(10).tap();
  await page.waitForSelector('.functions tbody tr', { timeout: longMs });
  assert.ok((await number(page, 'document.documentElement.scrollWidth')) <= 360, 'the long name is broken');
  const table = (await page.locator('.functions').boundingBox())!;
  assert.ok(table.height < 3.5 * 740, `${table.height} pixels high`);
  const box = `document.querySelector('.functions')`;
  assert.ok(
    (await number(page, `${box}.scrollWidth`)) <= (await number(page, `${box}.clientWidth`)),
    'nothing is cut off',
  );
  await page.context().close();
});
