/**
 * The toolkit as it is published, from dist/: `npm run build` first. Its sources run through tsx would be measured with
 * the getters that tsx puts between modules.
 */
export const built = {
  cache: require('otel-vitals/toolkit/cache') as typeof import('../../toolkit/cache'),
  channel: require('otel-vitals/toolkit/channel') as typeof import('../../toolkit/channel'),
  database: require('otel-vitals/toolkit/database') as typeof import('../../toolkit/database'),
  lock: require('otel-vitals/toolkit/lock') as typeof import('../../toolkit/lock'),
  network: require('otel-vitals/toolkit/network') as typeof import('../../toolkit/network'),
  objectPool: require('otel-vitals/toolkit/object-pool') as typeof import('../../toolkit/object-pool'),
  workerPool: require('otel-vitals/toolkit/worker-pool') as typeof import('../../toolkit/worker-pool'),
};
