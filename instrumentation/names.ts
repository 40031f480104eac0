/** The meters, as OTEL_NODE_ENABLED_INSTRUMENTATIONS and OTEL_NODE_DISABLED_INSTRUMENTATIONS name them. */
export const meterNames = [
  'process',
  'heap',
  'gc',
  'event-loop',
  'threads',
  'http-server',
  'http-client',
  'db-pool',
  'db-operations',
  'cache',
  'object-pool',
  'worker-pool',
  'channel',
  'lock',
  'findings',
  'profiling',
  'self',
] as const;

/** The libraries that are hooked, by the same two variables. */
export const libraryNames = [
  'knex',
  'pg',
  'redis',
  'ioredis',
  'undici',
  'express',
  'fastify',
  'koa',
  'hono',
] as const;

/** The auto-profiler's rules. Where several fire together, the first of them in this order takes the capture. */
export const ruleNames = ['stall', 'gc', 'heap', 'resources', 'delay', 'response', 'cpu'] as const;

export type RuleName = (typeof ruleNames)[number];
export type MeterName = (typeof meterNames)[number];
export type LibraryName = (typeof libraryNames)[number];
