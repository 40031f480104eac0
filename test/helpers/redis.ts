/** The Redis of the tests: the demo's, see there. */

export type { RedisServer } from '../../mall/demo/servers/redis';
export { startRedis } from '../../mall/demo/servers/redis';
