/** The PostgreSQL of the tests: the demo's, see there. */

export type { PostgresDatabase } from '../../mall/demo/servers/postgres';
export { startPostgres } from '../../mall/demo/servers/postgres';
