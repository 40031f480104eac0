import { dbPoolMetrics } from '../../../instrumentation/catalogue';
import { label, max, peak, perInstance, series } from '../promql';

const name = label(dbPoolMetrics.count, 'db.client.connection.pool.name');

export const byPool = [...perInstance, name];
export const poolLegend = `{{instance}} {{${name}}}`;

/** Connections in use of those that the pool may open. */
export const connectionShare = `${max(peak(series(dbPoolMetrics.count, { 'db.client.connection.state': '="used"' })), byPool)}
  / (${max(series(dbPoolMetrics.limit), byPool)} > 0)`;
