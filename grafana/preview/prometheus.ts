import { type BoardJson, fillIn, type PanelJson } from '../../test/helpers/boards';
import type { Line, Mark } from './model';

/** A range of time, in milliseconds, and how far apart its points are. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
}

/** Prometheus scrapes this often; Grafana's data source is told so too. */
const scrapeMs = 5000;

/** A range of `minutes` until now, with a point for about every three pixels of a third of a board. */
export function lastMinutes(minutes: number): Range {
  const to = Math.floor(Date.now() / 1000) * 1000;
  const from = to - minutes * 60_000;
  const stepMs = Math.max(scrapeMs, Math.ceil((to - from) / 180 / 1000) * 1000);
  return { from, to, stepMs };
}

/** What Grafana puts in place of variables, where all is chosen but what `chosen` says. */
export function valuesOf(range: Range, chosen: Readonly<Record<string, string>>): Record<string, string> {
  // As Grafana has it: four scrapes at least, so that each window has two samples.
  const rateSeconds = Math.max((range.stepMs + scrapeMs) / 1000, (4 * scrapeMs) / 1000);
  return {
    job: '.+',
    service: '.+',
    instance: '.+',
    scenario: '.*',
    __rate_interval: `${rateSeconds}s`,
    __interval: `${range.stepMs / 1000}s`,
    __range: `${Math.round((range.to - range.from) / 1000)}s`,
    ...chosen,
  };
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** A Prometheus to ask for ranges. */
export class Source {
  constructor(
    readonly url: string,
    private readonly range: Range,
    private readonly values: Readonly<Record<string, string>>,
  ) {}

  /** The lines of a panel. @throws with Prometheus's words where an expression is not PromQL. */
  async lines({ targets = [] }: PanelJson): Promise<Line[]> {
    const all = await Promise.all(
      targets.map(async ({ expr, refId, legendFormat = '', instant }) => {
        if (expr === undefined) return [];
        const found = await this.ask(expr, instant === true);
        return found.map(({ metric, values }) => ({
          refId,
          name: legend(legendFormat, metric),
          ...this.points(values),
        }));
      }),
    );
    return all.flat();
  }

  /** Where the board's annotations have marks. */
  async marks({ annotations }: BoardJson): Promise<Mark[]> {
    const all = await Promise.all(
      annotations.list.map(async annotation => {
        const { name, iconColor: color = 'gray', target, useValueForTime } = annotation;
        const found = await this.ask(target.expr, false);
        const times = found.flatMap(({ values }) =>
          useValueForTime === true
            ? values.map(([, value]) => Number(value))
            : values.slice(0, 1).map(([time]) => time * 1000),
        );
        return [...new Set(times)].map(time => ({ name, color, time }));
      }),
    );
    return all.flat().filter(({ time }) => time >= this.range.from && time <= this.range.to);
  }

  private async ask(expr: string, instant: boolean): Promise<readonly Series[]> {
    const { from, to, stepMs } = this.range;
    const query = fillIn(expr, this.values);
    const parameters = instant
      ? { query, time: `${to / 1000}` }
      : { query, start: `${from / 1000}`, end: `${to / 1000}`, step: `${stepMs / 1000}` };
    const answer = await fetch(`${this.url}/api/v1/${instant ? 'query' : 'query_range'}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const { data, error } = (await answer.json()) as {
      error?: string;
      data: { resultType: string; result: readonly (Series & { value: Series['values'][number] })[] };
    };
    if (error !== undefined) throw new Error(`${error} in ${query}`);
    return data.resultType === 'vector'
      ? data.result.map(({ metric, value }) => ({ metric, values: [value] }))
      : data.result;
  }

  /** A value for each step, null where there is none: Grafana breaks the line there. */
  private points(values: Series['values']): Pick<Line, 'times' | 'values'> {
    const found = new Map(values.map(([time, value]) => [Math.round(time * 1000), Number(value)]));
    const { from, to, stepMs } = this.range;
    const times = Array.from({ length: Math.floor((to - from) / stepMs) + 1 }, (_, i) => from + i * stepMs);
    if (values.length === 1 && !times.includes([...found.keys()][0]!)) times.push([...found.keys()][0]!);
    return {
      times,
      values: times.map(time => {
        const value = found.get(time);
        return value === undefined || Number.isNaN(value) ? null : value;
      }),
    };
  }
}

function legend(format: string, metric: Readonly<Record<string, string>>): string {
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => metric[label] ?? '');
}
