import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Browser } from 'playwright-core';
import type { ShownBoard } from './model';

const folder = __dirname;
const width = 1600;
const drawMs = 30_000;

/** Installs Grafana's components beside this file, once: they are heavy, and nothing else needs them. */
export function installComponents(): void {
  if (existsSync(join(folder, 'node_modules', '@grafana', 'ui', 'package.json'))) return;
  console.log("preview: installing Grafana's components into grafana/preview (half a gigabyte, once)");
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`Expected npm ci to work in ${folder}: ${error?.message ?? ''}`);
}

/**
 * Packages whose export Grafana imports as the default of a CommonJS module. From a file .mjs that is the whole module,
 * as in Node.js; Grafana's own bundler gives what the module calls its default.
 */
const wrongDefaults = /^react-custom-scrollbars-2$/;
const defaults: Plugin = {
  name: 'defaults',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: wrongDefaults }, ({ path, namespace, resolveDir }) =>
      namespace === 'default' ? undefined : { path, namespace: 'default', pluginData: resolveDir },
    );
    onLoad({ filter: /.*/, namespace: 'default' }, ({ path, pluginData }) => ({
      contents: `module.exports = require(${JSON.stringify(path)}).default;`,
      resolveDir: pluginData as string,
    }));
  },
};

export interface Page {
  readonly script: string;
  readonly style: string;
}

/** The page that draws a board, as one script and one style sheet. */
export async function bundlePage(): Promise<Page> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'page', 'main.tsx')],
    bundle: true,
    write: false,
    outdir: 'out',
    format: 'iife',
    platform: 'browser',
    target: 'chrome110',
    jsx: 'automatic',
    minify: true,
    define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
    loader: {
      '.svg': 'dataurl',
      '.png': 'dataurl',
      '.woff': 'dataurl',
      '.woff2': 'dataurl',
      '.ttf': 'dataurl',
    },
    nodePaths: [join(folder, 'node_modules')],
    plugins: [defaults],
    logLevel: 'error',
  });
  const text = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return { script: text('.js'), style: text('.css') };
}

/** Draws a board into a PNG. @returns what the page's scripts complained of. */
export async function drawBoard(
  browser: Browser,
  { script, style }: Page,
  board: ShownBoard,
  file: string,
): Promise<string[]> {
  const context = await browser.newContext({ viewport: { width, height: 1000 } });
  try {
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', error => errors.push(error.message));
    // A page of some origin, because there is no storage without one; nothing is asked of the network.
    await page.route('**', route =>
      route.fulfill({
        contentType: 'text/html',
        body: '<!doctype html><meta charset="utf-8"><div id="root"></div>',
      }),
    );
    await page.goto('http://preview.invalid/');
    await page.addStyleTag({ content: style });
    await page.evaluate(value => {
      (globalThis as { previewBoard?: unknown }).previewBoard = value;
    }, board);
    await page.addScriptTag({ content: script });
    const panels = board.rows.reduce((count, row) => count + row.panels.length, 0);
    await page
      .waitForFunction(`document.querySelectorAll('.preview-panel').length === ${panels}`, undefined, {
        timeout: drawMs,
      })
      .catch(error => errors.push(`${board.board.title} was not drawn: ${error.message}`));
    // Graphs draw in the frame after they are laid out, flame graphs once they know their size.
    await page.waitForTimeout(1500);
    await page.screenshot({ path: file, fullPage: true });
    return errors;
  } finally {
    await context.close();
  }
}
