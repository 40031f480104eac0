import { operationSeconds, waitSeconds } from './buckets';
import { attribute, metric } from './define';

const poolName = attribute(
  'db.client.connection.pool.name',
  "The name of the toolkit's DatabaseManager, else host:port/database; a second live pool of it gets #2, and so on",
  { bound: 'pools the application opens' },
);
const state = attribute('db.client.connection.state', 'Whether the connection is lent out', {
  values: ['used', 'idle'],
});
const system = attribute('db.system.name', 'Database, as the semantic conventions name it', {
  bound: 'databases that are instrumented, about ten',
});
const operation = attribute('db.operation.name', 'SQL keyword or Redis command, upper case', {
  bound: 'commands of the database; an unknown one is _OTHER',
});
const summary = attribute(
  'db.query.summary',
  'Operations and tables of the query, without values, at most 255 characters; absent for Redis',
  { bound: '200 summaries; the rest is _OTHER' },
);
const errorType = attribute('error.type', "The error's code, else its class", {
  bound: 'error codes of the database',
});

const pool = { attributes: [poolName] } as const;
const count = (name: string, words: string) =>
  metric('db-pool', name, 'updowncounter', '{connection}', words, pool);
const wait = (name: string, words: string) =>
  metric('db-pool', name, 'histogram', 's', words, { ...pool, buckets: waitSeconds });

export const dbPoolMetrics = {
  count: metric(
    'db-pool',
    'db.client.connection.count',
    'updowncounter',
    '{connection}',
    'Connections by state',
    {
      attributes: [poolName, state],
    },
  ),
  limit: count('db.client.connection.limit', 'Most connections the pool may open'),
  idleMin: count('db.client.connection.idle.min', 'Fewest connections the pool keeps'),
  idleMax: count('db.client.connection.idle.max', 'Most idle connections the pool keeps'),
  pending: metric(
    'db-pool',
    'db.client.connection.pending_requests',
    'updowncounter',
    '{request}',
    'Requests that wait for a connection',
    pool,
  ),
  timeouts: metric(
    'db-pool',
    'db.client.connection.timeouts',
    'counter',
    '{timeout}',
    'Waits for a connection that ran out of time',
    pool,
  ),
  createTime: wait('db.client.connection.create_time', 'Time to open a connection'),
  waitTime: wait('db.client.connection.wait_time', 'Time to get a connection from the pool'),
  useTime: wait('db.client.connection.use_time', 'Time from getting a connection to giving it back'),
} as const;

export const dbOperationMetrics = {
  duration: metric(
    'db-operations',
    'db.client.operation.duration',
    'histogram',
    's',
    'Time of a database operation as its caller waits for it',
    { attributes: [system, operation, summary, errorType], buckets: operationSeconds },
  ),
  slow: metric(
    'db-operations',
    'vitals.db.slow_queries',
    'counter',
    '{query}',
    'Operations that took longer than VITALS_SLOW_QUERY_MS',
    { attributes: [system, operation, summary] },
  ),
} as const;

const managerName = attribute(
  'db.client.connection.pool.name',
  'The name of the DatabaseManager of the toolkit',
  {
    bound: 'managers the application makes',
  },
);
const closeReason = attribute('vitals.db.close_reason', 'Why the connection was closed', {
  values: ['idle', 'lifetime', 'broken', 'shutdown'],
});
const manager = { attributes: [managerName] } as const;

/** Of the toolkit's DatabaseManager, beside what is measured of every pool. */
export const databaseMetrics = {
  health: metric(
    'db-pool',
    'vitals.db.health_score',
    'gauge',
    '{point}',
    'Health of the last minute, from 0 to 100; of several managers of one name the worst',
    manager,
  ),
  closed: metric('db-pool', 'vitals.db.connection.closed', 'counter', '{connection}', 'Connections closed', {
    attributes: [managerName, closeReason],
  }),
  leaks: metric(
    'db-pool',
    'vitals.db.connection.leaks',
    'counter',
    '{connection}',
    'Connections that were held for too long, as far as they were watched',
    manager,
  ),
  timeouts: metric(
    'db-pool',
    'vitals.db.query.timeouts',
    'counter',
    '{query}',
    'Queries that ran out of their time',
    manager,
  ),
} as const;
