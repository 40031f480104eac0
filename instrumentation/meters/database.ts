import type { ClosedConnections } from '../../toolkit/database';
import { type DatabaseStats, databaseSource } from '../../toolkit/database/stats';
import { databaseMetrics as m } from '../catalogue/database';
import { meterSources, seriesOf } from './sources';

const { counter, leastGauge } = seriesOf<DatabaseStats>();
const reasons: readonly (keyof ClosedConnections)[] = ['idle', 'lifetime', 'broken', 'shutdown'];

/** The toolkit's database managers: what the hook of knex does not see. */
export const meterDatabase = meterSources<DatabaseStats>(
  databaseSource,
  name => ({ 'db.client.connection.pool.name': name }),
  [
    leastGauge(m.health, {}, ({ health }) => health.score),
    ...reasons.map(reason =>
      counter(
        m.closed,
        { 'vitals.db.close_reason': reason },
        ({ connections }) => connections.closed[reason],
      ),
    ),
    counter(m.leaks, {}, ({ connections }) => connections.leaks),
    counter(m.timeouts, {}, ({ queries }) => queries.timeouts),
  ],
);
