import { dbOperationMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';

const m = dbOperationMetrics;
const system = label(m.duration, 'db.system.name');
const operation = label(m.duration, 'db.operation.name');
const summary = label(m.duration, 'db.query.summary');
const errorType = label(m.duration, 'error.type');
const byOperation = [system, operation];
const legend = `{{${system}}} {{${operation}}}`;
const count = (by: readonly string[]): string => sum(rate(series(m.duration, {}, '_count')), by);

export const operations: Section = {
  title: 'Operations',
  panels: [
    timeseries({
      title: 'Operations',
      description:
        'Operations a second by database and keyword or command. Normal: a fixed number for each request. More for each request than yesterday: a query in a loop.',
      unit: 'ops',
      width: 8,
      queries: [{ expr: count(byOperation), legend }],
    }),
    timeseries({
      title: 'Duration p99',
      description:
        'The 99th percentile of an operation as its caller waits for it. Normal: level. All at once: the database, the network, or this process’s event loop; one alone: a missing index, or more rows than before.',
      unit: 's',
      width: 8,
      thresholds: thresholds.operationSeconds,
      queries: [{ expr: quantile(0.99, m.duration, byOperation), legend }],
    }),
    timeseries({
      title: 'Errors by kind',
      description:
        'Operations a second that failed, by the error’s code, such as 23505 for a duplicate key or ECONNREFUSED. Normal: none.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.duration, { 'error.type': '!=""' }, '_count')), [system, errorType]),
          legend: `{{${system}}} {{${errorType}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Ten queries that take most time',
      description:
        'Seconds of each second that callers wait for queries of this kind, all together: what to make faster first. Normal: your most frequent ones. A rare one on top: it is slow.',
      unit: 's',
      width: 8,
      legendRight: false,
      queries: [
        {
          expr: `topk(10, ${sum(rate(series(m.duration, { 'db.query.summary': '!=""' }, '_sum')), [summary])})`,
          legend: `{{${summary}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Ten slowest kinds of query, p99',
      description:
        'The 99th percentile by operations and tables of the query, without values. Normal: under 100 ms. EXPLAIN the slowest.',
      unit: 's',
      width: 8,
      thresholds: thresholds.operationSeconds,
      queries: [
        {
          expr: `topk(10, ${quantile(0.99, m.duration, [summary], { 'db.query.summary': '!=""' })})`,
          legend: `{{${summary}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Slow operations',
      description:
        'Operations a minute that took longer than VITALS_SLOW_QUERY_MS. Normal: none, or the known ones.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `60 * ${sum(rate(series(m.slow)), [system, operation, label(m.slow, 'db.query.summary')])}`,
          legend: `${legend} {{${summary}}}`,
        },
      ],
    }),
  ],
};
