// npm run grafana:preview -- [--prometheus URL] [--minutes 10] [--board uid] [--out folder] [--fail-on-empty]
// Draws every board from its generated JSON with Grafana's own components: to see whether it can be read, and what is
// empty. It is a preview, not Grafana.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BoardJson, type PanelJson, readBoards } from '../../test/helpers/boards';
import { openBrowser } from '../../test/helpers/browser';
import type { Ingested } from '../../test/helpers/ingest-server';
import { bundlePage, drawBoard, installComponents } from './draw';
import { isEmpty, type ShownBoard, type ShownPanel, type ShownRow } from './model';
import { profilePanel } from './profiles';
import { lastMinutes, type Range, Source, valuesOf } from './prometheus';
import { startSource } from './source';

const usage = `Usage: npm run grafana:preview -- [options]

Draws the boards of grafana/dashboards with Grafana's own components into PNG files, and reports in JSON which panels
have no data. Ends with status 1 where an expression is wrong.

  --prometheus <url>   Prometheus to ask; without, the demo is started, with a Prometheus that scrapes it
  --minutes <number>   how long to look back, and to let the demo run before (default 5)
  --job <regex>        job to show (default all)
  --board <uid>        only this board, such as otel-vitals-runtime; may be given several times
  --out <folder>       where the files go (default .cache/grafana-preview)
`;

const { values: args } = parseArgs({
  options: {
    prometheus: { type: 'string' },
    minutes: { type: 'string', default: '5' },
    job: { type: 'string', default: '.+' },
    board: { type: 'string', multiple: true, default: [] },
    out: { type: 'string', default: '.cache/grafana-preview' },
    help: { type: 'boolean', short: 'h' },
  },
});

interface PanelReport {
  readonly row: string;
  readonly panel: string;
  readonly error?: string;
}

async function main(): Promise<number> {
  const minutes = Number(args.minutes);
  if (!(minutes >= 1 && minutes <= 10_080)) {
    throw new RangeError(`--minutes: expected a number from 1 to 10080, got "${args.minutes}"`);
  }
  const boards = readBoards().filter(({ uid }) => args.board.length === 0 || args.board.includes(uid));
  if (boards.length === 0) throw new RangeError(`--board: expected a board's uid, got "${args.board}"`);
  mkdirSync(args.out, { recursive: true });
  installComponents();
  const source = await startSource(args.prometheus, minutes);
  try {
    const range = lastMinutes(minutes);
    const chosen = { job: args.job };
    const prometheus = new Source(source.url, range, valuesOf(range, chosen));
    const page = await bundlePage();
    const browser = await openBrowser();
    try {
      const report: Record<string, { empty: PanelReport[]; errors: PanelReport[]; page: string[] }> = {};
      for (const board of boards) {
        const shown = await show(board, prometheus, range, source.profiles);
        const file = join(args.out, `${board.uid.replace('otel-vitals-', '')}.png`);
        const complaints = await drawBoard(browser, page, shown, file);
        const all = shown.rows.flatMap(row => row.panels.map(panel => ({ row: row.title, panel })));
        const entry = {
          empty: all
            .filter(({ panel }) => panel.error === undefined && isEmpty(panel))
            .map(({ row, panel }) => ({ row, panel: panel.panel.title })),
          errors: all.flatMap(({ row, panel: { panel, error } }) =>
            error === undefined ? [] : [{ row, panel: panel.title, error }],
          ),
          page: complaints,
        };
        report[board.uid] = entry;
        console.log(
          `preview: ${file}: ${all.length} panels, ${entry.empty.length} without data, ${entry.errors.length} wrong`,
        );
      }
      writeFileSync(join(args.out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
      const wrong = Object.values(report).flatMap(({ errors, page: complaints }) => [
        ...errors.map(({ panel, error }) => `${panel}: ${error}`),
        ...complaints,
      ]);
      for (const line of wrong) console.error(`preview: ${line}`);
      return wrong.length > 0 ? 1 : 0;
    } finally {
      await browser.close();
    }
  } finally {
    await source.close();
  }
}

async function show(
  board: BoardJson,
  prometheus: Source,
  range: Range,
  profiles: readonly Ingested[],
): Promise<ShownBoard> {
  const rows: ShownRow[] = [];
  for (const { title, collapsed, panels } of rowsOf(board)) {
    rows.push({
      title,
      collapsed,
      panels: await Promise.all(panels.map(panel => showPanel(panel, prometheus, profiles))),
    });
  }
  return {
    board: { uid: board.uid, title: board.title, description: board.description },
    source: prometheus.url,
    from: range.from,
    to: range.to,
    variables: board.templating.list.map(({ name, label }) => ({
      label: label ?? name,
      value: name === 'job' && args.job !== '.+' ? args.job : name === 'datasource' ? 'Prometheus' : 'All',
    })),
    rows,
    marks: await prometheus.marks(board),
  };
}

async function showPanel(
  panel: PanelJson,
  prometheus: Source,
  profiles: readonly Ingested[],
): Promise<ShownPanel> {
  const whole = panel as ShownPanel['panel'];
  if (panel.targets?.some(({ profileTypeId }) => profileTypeId !== undefined)) {
    return { panel: whole, ...profilePanel(panel, profiles) };
  }
  try {
    return { panel: whole, lines: await prometheus.lines(panel) };
  } catch (error) {
    return { panel: whole, lines: [], error: (error as Error).message };
  }
}

function rowsOf(board: BoardJson): { title: string; collapsed: boolean; panels: PanelJson[] }[] {
  const rows: { title: string; collapsed: boolean; panels: PanelJson[] }[] = [];
  for (const panel of board.panels) {
    if (panel.type === 'row') {
      rows.push({
        title: panel.title,
        collapsed: panel.collapsed === true,
        panels: [...(panel.panels ?? [])],
      });
    } else rows.at(-1)?.panels.push(panel);
  }
  return rows;
}

if (args.help === true) process.stdout.write(usage);
else
  main().then(
    code => process.exit(code),
    error => {
      console.error(`preview: ${(error as Error).message}`);
      process.exit(2);
    },
  );
