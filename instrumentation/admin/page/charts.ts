import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type Chart, type ChartId, charts } from '../../history/contract';
import { digits, inUnit, unitNames } from '../units';
import { h } from './dom';
import { loneSamples, reading } from './readings';
import type { Timeline } from './timeline';

/** Lines that bound the others: drawn where the others come near them, said in any case. */
const limit = 'limit';
/** Names of colours in main.css, in the order in which lines take them. */
const colourCount = 12;
const height = 200;
/** Pixels across a sample that no line leads to. */
const dot = 6;
/** Shown at least, when the process is young. */
const fewestSeconds = 60;

/** Draws every chart, and each again whenever `update` is called. */
export function createCharts(into: HTMLElement, timeline: Timeline): { update(rangeSeconds: number): void } {
  const panels = Object.entries(charts).map(([id, chart]) =>
    createPanel(into, id as ChartId, chart, timeline),
  );
  let range = 0;
  const update = (rangeSeconds: number): void => {
    range = rangeSeconds;
    for (const panel of panels) panel.update(rangeSeconds);
  };
  const again = (): void => {
    for (const panel of panels) panel.restyle();
    if (range > 0) update(range);
  };
  document.addEventListener('themechange', again);
  new ResizeObserver(() => {
    for (const panel of panels) panel.resize();
  }).observe(into);
  return { update };
}

function createPanel(into: HTMLElement, id: ChartId, chart: Chart, timeline: Timeline) {
  const note = h('span', { className: 'note' });
  const title = h('figcaption', { id: `chart-${id}` }, chart.title, note);
  const plotted = h('div', { className: 'plot' });
  const figure = h('figure', { data: { chart: id } }, title, plotted);
  figure.setAttribute('aria-labelledby', title.id);
  into.append(figure);
  let plot: uPlot | undefined;
  let names: readonly string[] = [];
  let originals: readonly (readonly (number | null)[])[] = [];
  let shown: [number, number] = [0, 1];

  const build = (drawn: readonly string[]): void => {
    plot?.destroy();
    names = drawn;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--dim'),
      grid: { stroke: colour('--grid'), width: 1 },
      ticks: { show: false },
    };
    plot = new uPlot(
      {
        width: plotted.clientWidth || 400,
        height,
        cursor: { sync: { key: 'vitals' }, drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: () => shown },
          y: { range: (_, __, most) => [0, most > 0 ? most * 1.05 : 1] },
        },
        axes: [
          { ...axis },
          {
            ...axis,
            size: 62,
            values: (_, ticks) =>
              ticks.map(tick => (chart.unit === 'bytes' ? inUnit(tick, 'bytes') : digits(tick))),
            ...(chart.unit === 'bytes' ? { incrs: binarySteps } : {}),
          },
        ],
        series: [
          {},
          ...drawn.map((name, i) => {
            const stroke = name === limit ? colour('--dim') : colour(`--line-${i % colourCount}`);
            return {
              label: name,
              stroke,
              width: 1.5,
              points: {
                show: false,
                filter: (plot: uPlot, line: number) => loneSamples(plot.data[line] as (number | null)[]),
                size: dot,
                width: 0,
                fill: stroke,
              },
              ...(name === limit ? { dash: [6, 4] } : {}),
              ...(chart.kind === 'stack' && name !== limit ? { fill: `${stroke}55` } : {}),
              value: (_: uPlot, __: number, ___: number, index: number | null) =>
                reading(originals[i] ?? [], timeline.at, index, chart.unit),
            };
          }),
        ],
        // The topmost area of a stack is drawn first, so that those below it are seen.
        bands: chart.kind === 'stack' ? bandsOf(drawn) : [],
        legend: { live: true },
      },
      [[], ...drawn.map(() => [])],
      plotted,
    );
    labelLegend(plotted, title.id);
  };

  return {
    update(rangeSeconds: number): void {
      const lines = timeline.lines(id);
      figure.hidden = lines.size === 0;
      if (figure.hidden) return;
      const bound = lines.get(limit)?.findLast(value => value !== null) ?? undefined;
      const drawn = [...lines.keys()].filter(name => name !== limit);
      const columns = drawn.map(name => lines.get(name)!);
      const heights = chart.kind === 'stack' ? stacked(columns) : columns;
      const most = Math.max(0, ...heights.flatMap(column => column.map(value => value ?? 0)));
      note.textContent = ` ${bound === undefined ? unitNames[chart.unit] : `limit ${inUnit(bound, chart.unit)}`}`;
      originals = columns;
      const data = [...heights];
      if (bound !== undefined && most > bound / 3) {
        drawn.push(limit);
        data.push(lines.get(limit)!);
        originals = [...originals, lines.get(limit)!];
      }
      if (plot === undefined || drawn.join('\n') !== names.join('\n')) build(drawn);
      const { at } = timeline;
      const end = at[at.length - 1] ?? Date.now() / 1000;
      shown = [Math.max(end - rangeSeconds, Math.min(at[0] ?? end, end - fewestSeconds)), end];
      // Scales and all: that alone has the legend follow what comes, and what passes below a resting cursor.
      plot!.setData([[...at], ...data.map(column => [...column])]);
    },
    restyle(): void {
      if (plot !== undefined) build(names);
    },
    resize(): void {
      const width = plotted.clientWidth;
      if (plot !== undefined && width > 0 && width !== plot.width) plot.setSize({ width, height });
    },
  };
}

/** Powers of two, so that an axis says 64 MiB and not 61.04. */
const binarySteps = Array.from({ length: 45 }, (_, i) => 2 ** i);

function stacked(columns: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: number[] = [];
  return columns.map(column =>
    column.map((value, i) => {
      sums[i] = (sums[i] ?? 0) + (value ?? 0);
      return value === null ? null : sums[i]!;
    }),
  );
}

function bandsOf(drawn: readonly string[]): uPlot.Band[] {
  const areas = drawn.filter(name => name !== limit).length;
  return Array.from({ length: Math.max(0, areas - 1) }, (_, i) => ({ series: [i + 2, i + 1] }));
}

/** uPlot's legend is a table without heads of columns; its rows can be clicked, and so must be reached by key. */
function labelLegend(plotted: HTMLElement, titleId: string): void {
  const legend = plotted.querySelector('.u-legend');
  legend?.setAttribute('aria-labelledby', titleId);
  for (const head of plotted.querySelectorAll<HTMLElement>('.u-legend .u-series th')) {
    (head as HTMLTableCellElement).scope = 'row';
    head.tabIndex = 0;
    head.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter' || key === ' ') head.click();
    });
  }
}
