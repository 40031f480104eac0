import { summaryDir } from './config.ts';

/** The part of what k6 hands to `handleSummary` that the text is made of. */
export interface SummaryData {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly root_group: Group;
  readonly state: { readonly testRunDurationMs: number };
}
interface Metric {
  readonly type: string;
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}
interface Group {
  readonly checks: readonly { readonly name: string; readonly passes: number; readonly fails: number }[];
  readonly groups: readonly Group[];
}

/** Statistics that the options of every scenario ask for, and that the text shows. */
export const trendStats = ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max'];

/** `handleSummary` of a scenario: its text on the terminal and, where there is a folder for it, all of it as JSON. */
export function summaryOf(scenario: string): (data: SummaryData) => Record<string, string> {
  return data => ({
    stdout: summaryText(scenario, data),
    ...(summaryDir && { [`${summaryDir}/${scenario}.json`]: `${JSON.stringify(data, null, 2)}\n` }),
  });
}

/** What a person wants to know: did it hold, how many, how long, and which thresholds and checks failed. */
export function summaryText(scenario: string, { metrics, root_group: root, state }: SummaryData): string {
  const thresholds = Object.entries(metrics)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, { thresholds: own = {}, values }]) =>
      Object.entries(own).map(([source, { ok }]) => ({ name, source, ok, values })),
    );
  const broken = thresholds.filter(({ ok }) => !ok).length;
  const verdict = broken === 0 ? 'passed' : `FAILED, ${broken} of ${thresholds.length} thresholds`;
  const requests = metrics['http_reqs']?.values;
  const failed = metrics['http_req_failed']?.values['rate'] ?? 0;
  const widest = Math.max(0, ...thresholds.map(({ name }) => name.length));
  return [
    '',
    `${scenario}: ${verdict}`,
    `${(state.testRunDurationMs / 1000).toFixed(0)} s, ${requests?.['count'] ?? 0} requests, ${(requests?.['rate'] ?? 0).toFixed(1)} a second, ${(100 * failed).toFixed(2)} % failed`,
    ...section('times in ms', timeRows(metrics)),
    ...section(
      'thresholds',
      thresholds.map(
        ({ name, source, ok, values }) =>
          `${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(widest)}  ${source}${actual(source, values)}`,
      ),
    ),
    ...section(
      'checks',
      checksOf(root).map(
        ({ name, passes, fails }) =>
          `${fails > 0 ? 'FAILED' : 'ok    '} ${passes} of ${passes + fails}  ${name}`,
      ),
    ),
    '',
  ].join('\n');
}

function section(title: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : ['', title, ...rows.map(row => `  ${row}`)];
}

function timeRows(metrics: SummaryData['metrics']): string[] {
  const names = Object.keys(metrics)
    .filter(name => name === 'http_req_duration' || /^http_req_duration\{(name|scenario):/.test(name))
    .sort();
  const labels = names.map(name => /:(.*)\}$/.exec(name)?.[1] ?? 'all requests');
  const width = Math.max(0, ...labels.map(({ length }) => length));
  const cells = (texts: readonly string[]): string => texts.map(text => text.padStart(9)).join('');
  return [
    `${' '.repeat(width)}${cells(trendStats)}`,
    ...names.map(
      (name, index) =>
        labels[index]!.padEnd(width) + cells(trendStats.map(stat => number(metrics[name]!.values[stat]))),
    ),
  ];
}

/** The value that a threshold such as `p(95)<500` is about. */
function actual(source: string, values: Metric['values']): string {
  const value = values[/^([a-z]+(?:\([\d.]+\))?)/.exec(source)?.[1] ?? ''];
  return value === undefined ? '' : `, was ${number(value)}`;
}

function number(value: number | undefined): string {
  if (value === undefined) return '-';
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 1 ? 4 : 1);
}

function checksOf({ checks, groups }: Group): Group['checks'] {
  return [...checks, ...groups.flatMap(checksOf)];
}
