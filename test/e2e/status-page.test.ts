import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { repository } from '../helpers/app';
import { becomesTrue, legend, longMs, openBrowser, openPage } from '../helpers/browser';

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const axe = readFileSync(join(repository, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

let shop: AdminApp;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startAdminApp('page.js'), openBrowser()]);
});
after(async () => {
  await browser?.close();
  await shop?.end();
});

/** What accessibility checkers call serious or worse. */
async function violations(page: Page): Promise<string[]> {
  // Through the debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  const found = (await page.evaluate(
    'axe.run(document).then(({ violations }) => violations)',
  )) as readonly Violation[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe('the status page', () => {
  test('charts show the service under load, and move', async () => {
    const { page, complaints } = await openPage(browser, `${shop.url}/`);
    await page.waitForSelector('[data-chart="requests"] canvas', { timeout: longMs });
    for (const chart of ['delay', 'cpu', 'heap', 'memory', 'requests', 'p50', 'p99', 'pools', 'caches']) {
      await page.waitForSelector(`[data-chart="${chart}"] canvas`, { timeout: longMs });
    }
    const requests = await legend(page, 'requests');
    assert.match(requests['GET /products/:id']!, /^[\d.]+\/s$/);
    assert.ok(Number.parseFloat(requests['GET /products/:id']!) > 5, JSON.stringify(requests));
    assert.match((await legend(page, 'heap'))['old_space']!, /^[\d.]+ MiB$/);
    assert.equal((await legend(page, 'pools'))['tickets'], '1');
    assert.match((await legend(page, 'caches'))['products l1']!, /^(9\d[\d.]*|100) %$/);
    const drawn = `document.querySelector('[data-chart="delay"] canvas').toDataURL()`;
    const first = JSON.stringify(await page.evaluate(drawn));
    await becomesTrue(page, `${drawn} !== ${first}`);
    assert.match(await page.title(), /^shop/);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('a leak shows as a finding, with the stack that acquired what was never given back', async () => {
    const { page, complaints } = await openPage(browser, `${shop.url}/`);
    const finding = page.locator('[data-code="pool_leak"]');
    await finding.waitFor({ timeout: longMs });
    assert.match((await finding.textContent())!, /warning.*tickets has an object in use for too long/);
    await finding.locator('summary').click();
    assert.match((await finding.locator('dl').textContent())!, /stack\s*at .*use-profiling\/page\.js:16:/);
    // It stays unfolded while the page is drawn anew.
    await page.waitForTimeout(3000);
    assert.ok(await finding.locator('dl').isVisible());
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('a capture is taken with a progress bar, and its flame graph shows the function that is busy', async () => {
    const { page, complaints } = await openPage(browser, `${shop.url}/`);
    await page.click('[data-take="cpu"]');
    await page.waitForSelector('progress', { timeout: longMs });
    await becomesTrue(page, "document.querySelector('progress').value > 1");
    await page.click('text=Stop');
    await page.waitForSelector('#flame canvas', { timeout: longMs });
    const busiest = await page.locator('.functions tbody tr').first().locator('td').allTextContents();
    assert.match(busiest[2]!, /^priceCatalogue .*use-profiling\/page\.js:18$/, busiest.join(' '));

    await page.fill('#flame input[type="search"]', 'priceCat');
    const matched = await page.locator('#flame output').textContent();
    assert.ok(Number.parseFloat(matched!) > 20, matched ?? '');

    // By keys alone: down to a call, zoom, and out again.
    await page.focus('#flame canvas');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('text=Zoom out').isEnabled(), true);
    assert.match((await page.locator('.details').textContent())!, /total .*self /);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('text=Zoom out').isEnabled(), false);

    // A click on a call leads to its source line.
    const box = (await page.locator('#flame canvas').boundingBox())!;
    await page.mouse.click(box.x + 30, box.y + 27);
    assert.equal(await page.locator('text=Zoom out').isEnabled(), true);

    const download = page.waitForEvent('download');
    await page.click('#flame a[download]');
    assert.match((await download).suggestedFilename(), /cpu.*\.pb\.gz$/);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`nothing on it keeps anybody out, in ${colorScheme} and on a phone`, async () => {
      const started = await shop.post('/profiling/start?type=heap');
      await started.text();
      for (const viewport of [
        { width: 1400, height: 1000 },
        { width: 360, height: 740 },
      ]) {
        const { page, complaints } = await openPage(browser, `${shop.url}/`, { colorScheme, viewport });
        await page.waitForSelector('[data-chart="requests"] canvas', { timeout: longMs });
        await page.click('[data-flame] >> nth=0');
        await page.waitForSelector('#flame canvas', { timeout: longMs });
        assert.deepEqual(await violations(page), []);
        const content = Number(await page.evaluate('document.documentElement.scrollWidth'));
        const visible = Number(await page.evaluate('document.documentElement.clientWidth'));
        assert.ok(content <= visible, `${content} pixels wide on ${visible}`);
        assert.deepEqual(complaints, []);
        await page.context().close();
      }
    });
  }

  test('the report is one file that needs no server and runs no script', async () => {
    const { page } = await openPage(browser, `${shop.url}/`);
    const download = page.waitForEvent('download');
    await page.click('text=Save a report');
    const file = await download;
    assert.match(file.suggestedFilename(), /^vitals-\d+-[\dTZ-]+\.html$/);
    const saved = join(shop.folder, file.suggestedFilename());
    await file.saveAs(saved);
    const { page: report, complaints } = await openPage(browser, `file://${saved}`, {
      javaScriptEnabled: false,
    });
    const text = (await report.locator('body').textContent())!;
    assert.match(text, /Requests by route.*GET \/products\/:id: [\d.]+\/s/s);
    assert.ok((await report.locator('svg path').count()) >= 10);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});
