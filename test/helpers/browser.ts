import { execFileSync } from 'node:child_process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Milliseconds within which a page does what it must, on a busy machine. */
export const longMs = 60_000;

/** A headless Chromium of the machine; `scripts/setup.mjs` installs Debian's. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = execFileSync(
    'sh',
    ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome || true'],
    { encoding: 'utf8' },
  ).trim();
  if (executablePath === '')
    throw new Error('Expected chromium on the PATH; on Debian: apt-get install chromium');
  // Chromium's own sandbox does not run as root.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

/**
 * A page, and what its console had to complain about.
 *
 * @param prepare what to do before it loads
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('request', request => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) complaints.push(request.url());
  });
  await prepare(page);
  await page.goto(url);
  return { page, complaints };
}

/** Waits for an expression; Playwright's own way is a script in the page, which the page's policy forbids. */
export async function becomesTrue(page: Page, expression: string): Promise<void> {
  const until = Date.now() + longMs;
  while ((await page.evaluate(expression)) !== true) {
    if (Date.now() > until) throw new Error(`Expected within ${longMs} ms: ${expression}`);
    await page.waitForTimeout(100);
  }
}

/** What a chart's legend says of its lines. */
export async function legend(page: Page, chart: string): Promise<Record<string, string>> {
  const rows = page.locator(`[data-chart="${chart}"] .u-series`);
  const [names, values] = await Promise.all([
    rows.locator('.u-label').allTextContents(),
    rows.locator('.u-value').allTextContents(),
  ]);
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}
