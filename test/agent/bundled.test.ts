import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { build } from 'esbuild';
import { folderWith, repository } from '../helpers/app';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';
import type { Samples } from '../helpers/samples';
import { active, served, startWeb, type Way } from '../helpers/web-app';

const source = join(repository, 'test', 'fixtures', 'apps', 'bundled', 'server.js');
const output = folderWith({ 'package.json': '{"name": "bundled"}' });

let postgres: PostgresDatabase;
let redis: RedisServer;
before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const common = { entryPoints: [source], bundle: true, platform: 'node' as const, external: ['pg-native'] };
  await Promise.all([
    build({ ...common, outfile: output.path('plain.js') }),
    build({ ...common, outfile: output.path('minified.js'), minify: true }),
  ]);
});
after(async () => {
  await Promise.all([postgres?.close(), redis?.close()]);
});

function look(metrics: Samples): void {
  assert.deepEqual(served(metrics), {
    // What express leaves on the request names the route, where nothing is mounted above it.
    'GET /orders/:id 200': 3,
    'GET /far 200': 1,
    'GET (none) 200': 1,
    'GET (none) 404': 1,
  });
  assert.equal(metrics.count('http_client_request_duration_seconds', { server_address: '127.0.0.1' }), 1);
  assert.equal(active(metrics), 0);
  assert.doesNotMatch(metrics.text, /secret/);
  // The libraries cannot be told from the application, so they are not seen.
  assert.deepEqual(metrics.labels('vitals_self_library_instrumented_total', 'library'), []);
  assert.deepEqual(metrics.labels('db_client_operation_duration_seconds_count', 'db_system_name'), []);
}

for (const file of ['plain.js', 'minified.js']) {
  it(`an application that was bundled into ${file} works, and what Node.js tells of it is measured`, async () => {
    const paths = ['/orders/41', '/orders/42', '/far', '/tenants/secret/things/1', '/nothing'];
    const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
    const answers = async (way: Way) => {
      const web = await startWeb(output.path(file), way, { env, cwd: output.dir });
      const seen = [];
      for (const path of paths) seen.push(await web.ask(path));
      if (way !== 'bare') look(await web.metrics());
      await web.end();
      return [seen, web.app.stdout().replace(/\d+/, 'PORT')];
    };
    const bare = await answers('bare');
    assert.deepEqual(await answers('require'), bare);
    assert.deepEqual(await answers('import'), bare);
  });
}
