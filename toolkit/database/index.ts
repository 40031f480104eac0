export type { HistogramSnapshot } from '../histogram';
export {
  DatabaseAcquireTimeoutError,
  DatabaseClosedError,
  DatabaseConnectTimeoutError,
  ExplainRefusedError,
  HealthCheckTimeoutError,
  KnexMissingError,
  QueryTimeoutError,
} from './errors';
export type { DatabaseHealth, HealthDeduction, HealthProblem } from './health';
export type { HealthCheck } from './health-check';
export type { InsertManyOptions, InsertManyResult } from './insert-many';
export type { CloseDatabaseOptions, PlanOptions } from './manager';
export { DatabaseManager } from './manager';
export type { MiddlewareOptions, RouteRequest, RouteResponse } from './middleware';
export { normalizeQuery } from './normalize';
export type {
  ConnectionLeak,
  ConnectionLeakOptions,
  DatabaseManagerOptions,
  DatabasePoolOptions,
  SlowQuery,
} from './options';
export type { QueryPlan } from './plan';
export type { MissingIndex, PlanNode, SequentialScan } from './plan-reading';
export type { ClosedConnections, ConnectionStats } from './pool-ledger';
export type { PreparedStatement, RunPreparedOptions } from './prepared';
export type { QueryTotals } from './queries';
export type { OtherQueries, QueryStats } from './query-table';
export type { Recommendation, RecommendationCode } from './recommendations';
export type { NPlusOne } from './routes';
export type { SqlDialect } from './sql-tokens';
export type { DatabaseStats } from './stats';
export type { Recent } from './window';
