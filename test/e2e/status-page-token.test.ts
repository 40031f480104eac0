import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { longMs, openBrowser, openPage } from '../helpers/browser';

let shop: AdminApp;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([
    startAdminApp('known.js', { args: ['busy'], env: { VITALS_ADMIN_TOKEN: 'sesame' } }),
    openBrowser(),
  ]);
});
after(async () => {
  await browser?.close();
  await shop?.end();
});

test("with a token the page opens through the browser's own login, and all of it works", async () => {
  const { page, complaints } = await openPage(browser, `${shop.url}/`, {
    httpCredentials: { username: 'anybody', password: 'sesame' },
  });
  await page.waitForSelector('[data-chart="delay"] canvas', { timeout: longMs });
  assert.match((await page.locator('#service').textContent())!, /^shop /);
  await page.waitForSelector('#findings .fine', { timeout: longMs });
  // A capture is begun with a POST, looked at, listed, drawn, and downloaded.
  await page.click('[data-take="heap"]');
  await page.waitForSelector('#flame canvas', { timeout: longMs });
  for (const link of ['#flame a[download]', '#captures a[download]', 'text=Save a report']) {
    const download = page.waitForEvent('download');
    await page.click(link);
    assert.equal(await (await download).failure(), null, link);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('without the token it asks for one, and shows nothing', async () => {
  const { page } = await openPage(browser, `${shop.url}/`, {
    httpCredentials: { username: 'anybody', password: 'wrong' },
  }).catch((error: unknown) => {
    // Chromium gives up after it has asked a few times.
    assert.match(String(error), /ERR_TOO_MANY_RETRIES|ERR_INVALID_AUTH_CREDENTIALS/);
    return { page: undefined };
  });
  assert.equal((await page?.locator('#service').count()) ?? 0, 0);
});
