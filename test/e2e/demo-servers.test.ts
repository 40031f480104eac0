import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { createClient } from 'redis';
import { freePort } from '../../mall/demo/servers/port';
import { findRedis } from '../../mall/demo/servers/redis';
import { repository } from '../helpers/app';
import { startDemo } from '../helpers/demo';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';

const direct = [process.execPath, '--import', 'tsx', 'mall/demo/run.ts'];
let postgres: PostgresDatabase;
let redis: RedisServer;

before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(''), startRedis()]);
});
after(() => Promise.all([postgres?.close(), redis?.close()]));

async function databases(): Promise<string[]> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  const { rows } = await client
    .query('SELECT datname FROM pg_database ORDER BY 1')
    .finally(() => client.end());
  return rows.map(({ datname }) => datname);
}

test('the servers of DATABASE_URL and REDIS_URL are used, in a database of its own that goes with the demo', async () => {
  const found = await databases();
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
  const run = startDemo({ command: direct, args: ['--duration', '2'], env });
  await run.printed(/^load /m);
  assert.equal((await databases()).length, found.length + 1);
  const client = await createClient({ url: redis.url }).connect();
  while ((await client.dbSize()) === 0) await wait(20);
  client.destroy();
  assert.equal((await run.exit).code, 0, run.stderr());
  assert.match(
    run.stdout(),
    /^PostgreSQL {2}postgres:\/\/postgres:\*\*\*@\S+\/vitals_\w+ \(DATABASE_URL\)$/m,
  );
  assert.match(run.stdout(), /^Redis {7}redis:\/\/\S+ \(REDIS_URL\)$/m);
  assert.match(run.stdout(), /^ {2}errors +0 \(0\.0 %\)$/m);
  assert.deepEqual(await databases(), found);
  assert.deepEqual(run.remains(), []);
});

test('the database on another server goes too when the demo is killed', async () => {
  const found = await databases();
  const run = startDemo({ command: direct, env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
  await run.printed(/^shop /m);
  process.kill(run.pid, 'SIGKILL');
  assert.deepEqual(await run.remainsAfter(60_000), []);
  assert.deepEqual(await databases(), found);
});

test('a server that cannot be used is named in one line, without its password, and ends the demo with 1', async () => {
  const closed = `127.0.0.1:${await freePort()}`;
  const wrongPassword = postgres.url.replace(/:\/\/postgres:[^@]+@/, '://postgres:hunter2@');
  const attempts: [env: Record<string, string>, message: RegExp][] = [
    [
      { DATABASE_URL: `postgres://ada:hunter2@${closed}/shop` },
      /^demo: cannot create a database on the server of DATABASE_URL: .*ECONNREFUSED.*\n$/,
    ],
    [{ DATABASE_URL: wrongPassword }, /^demo: cannot create .* password authentication failed .*\n$/],
    [
      { DATABASE_URL: 'localhost/shop?hunter2' },
      /^demo: DATABASE_URL: expected a URL such as postgres:.*\n$/,
    ],
    [
      { DATABASE_URL: postgres.url, REDIS_URL: `redis://:hunter2@${closed}` },
      /^demo: cannot use the Redis of REDIS_URL: .*ECONNREFUSED.*\n$/,
    ],
    [
      { DATABASE_URL: postgres.url, REDIS_URL: 'hunter2' },
      /^demo: REDIS_URL: expected a URL such as redis:.*\n$/,
    ],
    [
      { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PORT: 'http' },
      /^demo: PORT: expected a port from 0 to 65535, got "http"\n$/,
    ],
  ];
  const found = await databases();
  for (const [env, message] of attempts) {
    const run = startDemo({ command: direct, env });
    assert.equal((await run.exit).code, 1, run.stdout());
    assert.match(run.stderr(), message);
    assert.ok(!(run.stderr() + run.stdout()).includes('hunter2'));
    assert.deepEqual(run.remains(), []);
  }
  assert.deepEqual(await databases(), found);
});

test('an argument it does not know ends the demo with 2 and its usage; --help with 0', async () => {
  for (const args of [['--duration', 'long'], ['--rate', '0'], ['--durations', '5'], ['20']]) {
    const run = startDemo({ command: direct, args });
    assert.equal((await run.exit).code, 2);
    assert.match(run.stderr(), /^demo: .+\n\nUsage: npm run demo -- \[options\]/);
  }
  const help = startDemo({ command: direct, args: ['--help'] });
  assert.equal((await help.exit).code, 0);
  assert.match(help.stdout(), /^Usage: [\s\S]*--duration <seconds>[\s\S]*DATABASE_URL/);
});

test('a user that is not root runs the demo too', async t => {
  if (process.getuid?.() !== 0) return t.skip('this is not root: the other tests have shown it');
  const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
  const reachable = spawnSync('test', ['-r', `${repository}/dist/mall/main.js`], { uid, gid: uid });
  if (reachable.status !== 0) return t.skip(`user nobody cannot read ${repository}`);
  const run = startDemo({ command: direct, args: ['--duration', '1'], uid });
  await run.printed(/^load /m);
  const [, shop] = await run.printed(/^shop .*\(process (\d+)\)/m);
  assert.equal(statSync(`/proc/${shop}`).uid, uid);
  assert.equal((await run.exit).code, 0, run.stderr());
  assert.match(run.stdout(), /^ {2}errors +0 \(0\.0 %\)$/m);
  assert.deepEqual(run.remains(), []);
});

test('on a machine without Redis, where none may be installed, the demo says so and runs without', async t => {
  // In a mount namespace of its own, what is installed is hidden behind an empty file.
  const server = findRedis();
  assert.ok(server && existsSync(server));
  const hidden = `mount --bind /dev/null ${server} && mount --bind /dev/null /usr/bin/apt-get && exec "$@"`;
  const inside = ['unshare', '--mount', 'sh', '-c', hidden, 'sh'];
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return t.skip('no mount namespaces here');
  const run = startDemo({ command: [...inside, ...direct], args: ['--duration', '2'] });
  assert.equal((await run.exit).code, 0, run.stderr());
  assert.match(run.stdout(), /^Redis {7}none: redis-server is not installed.*; the shop runs without$/m);
  assert.match(run.stderr(), /^setup: missing redis-server .*\nsetup: this is not a Debian machine/);
  assert.match(run.stdout(), /^ {2}errors +0 \(0\.0 %\)$/m);
  assert.match(run.stdout(), /^ {2}cache hits +[\d.]+ % of \d+ \(memory \d+, Redis -\)$/m);
  assert.deepEqual(run.remains(), []);
});
