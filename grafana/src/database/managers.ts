import { databaseMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, perInstance, rate, series, sum } from '../promql';

const m = databaseMetrics;
const name = label(m.health, 'db.client.connection.pool.name');
const reason = label(m.closed, 'vitals.db.close_reason');
const byManager = [...perInstance, name];
const legend = `{{instance}} {{${name}}}`;

/** What the toolkit's database managers know beside what is measured of every pool. */
export const managers: Section = {
  title: 'Database managers of the toolkit',
  panels: [
    timeseries({
      title: 'Health',
      description:
        'Health of the last minute, from 0 to 100, of the worst manager of the name. Normal: 100. health() of the manager names each deduction.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: `min by (${byManager.join(', ')}) (${series(m.health)})`, legend }],
    }),
    timeseries({
      title: 'Connections closed by reason',
      description:
        'Connections a second by why they were closed. Normal: idle and lifetime, few. Broken: the server, or something on the way, ends them.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.closed)), [...byManager, reason]), legend: `${legend} {{${reason}}}` },
      ],
    }),
    timeseries({
      title: 'Connections held for too long, queries out of time',
      description:
        'Connections a minute that were held for longer than the manager allows, and queries that ran out of their time. Normal: none. The finding db_connection_leak has the stack that took the connection.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `60 * ${sum(rate(series(m.leaks)), byManager)}`, legend: `${legend} held too long` },
        { expr: `60 * ${sum(rate(series(m.timeouts)), byManager)}`, legend: `${legend} out of time` },
      ],
    }),
  ],
};
