import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repository } from '../helpers/app';
import { added, operations, pool, poolNames } from '../helpers/database-metrics';
import { type RedisServer, startRedis } from '../helpers/redis';
import { type SteppedApp, startStepped } from '../helpers/stepped-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'use-redis');

let redis: RedisServer;
before(async () => {
  redis = await startRedis(['--enable-debug-command', 'yes']);
});
after(() => redis?.close());

const start = (script: string, way: 'bare' | 'require' | 'import'): Promise<SteppedApp> =>
  startStepped(join(apps, script), { way, env: { REDIS_URL: redis.url, VITALS_SLOW_QUERY_MS: '150' } });

/** What `commands` sends; `sendCommand` writes its command in lower case. */
const commands = { FLUSHDB: 1, SET: 1, GET: 5, INCR: 2, HSET: 1, HGETALL: 1, MGET: 1, EXPIRE: 1, PING: 1 };

for (const version of [4, 5, 6]) {
  const hasPools = version >= 5;
  /** From 6 on a client says HELLO to each connection. */
  const hello = (connections: number) => (version >= 6 ? { HELLO: connections } : {});

  describe(`node-redis ${version}`, () => {
    it('an application sees the same with the agent as without it', async () => {
      const answers = async (way: 'bare' | 'require') => {
        const app = await start(`redis${version}.js`, way);
        const seen = [await app.step('connect', 'main'), await app.step('connect', 'other')];
        for (const step of [
          'commands',
          'transactions',
          'fails',
          'refused',
          'pubSub',
          'reconnect',
          'behaviour',
        ]) {
          seen.push(await app.step(step));
        }
        if (hasPools) {
          seen.push(await app.step('openPool', 'tight', { minimum: 1, maximum: 1, acquireTimeout: 50 }));
          await app.step('hold', 'tight', 1);
          seen.push(await app.step('acquireTimeout', 'tight'), await app.step('free'));
        }
        await app.end();
        return seen;
      };
      assert.deepEqual(await answers('require'), await answers('bare'));
    });

    for (const way of ['import', 'require'] as const) {
      it(`commands and connections of ES modules are measured under --${way}`, async () => {
        const app = await start(`redis${version}.mjs`, way);
        await app.step('connect', 'main');
        await app.step('commands');
        const metrics = await app.metrics();
        assert.deepEqual(operations(metrics, 'redis'), { ...hello(1), ...commands });
        assert.equal(pool(metrics, `127.0.0.1:${redis.port}/0`).used, 1);
        await app.end();
      });
    }

    describe('in an application', () => {
      let app: SteppedApp;
      const place = () => `127.0.0.1:${redis.port}/0`;
      before(async () => {
        app = await start(`redis${version}.js`, 'require');
        await app.step('connect', 'main');
        await app.step('connect', 'other');
      });
      after(() => app?.end());

      async function addedBy(step: string, ...args: unknown[]): Promise<Record<string, number>> {
        const earlier = operations(await app.metrics(), 'redis');
        await app.step(step, ...args);
        return added(earlier, operations(await app.metrics(), 'redis'));
      }

      it('measures each command once, and shows no key and no value', async () => {
        assert.deepEqual(await addedBy('commands'), commands);
        const { text } = await app.metrics();
        assert.doesNotMatch(text, /secret|apples|visits/);
      });

      it('measures the commands of MULTI and of pipelines one by one', async () => {
        assert.deepEqual(await addedBy('transactions'), {
          MULTI: 2,
          EXEC: 2,
          SET: 2,
          INCR: 2,
          GET: 4,
          WATCH: 1,
        });
      });

      it('says by error.type why a command failed, and names no command that is none', async () => {
        assert.deepEqual(await addedBy('fails'), {
          SET: 1,
          'LPUSH | WRONGTYPE': 1,
          '_OTHER | ERR': 1,
          'EVALSHA | NOSCRIPT': 1,
        });
        assert.deepEqual(await addedBy('manyCommands', 50), { '_OTHER | ERR': 50, GET: 50 });
      });

      it('leaves a message to its subscriber', async () => {
        const { QUIT, ...rest } = await addedBy('pubSub');
        assert.deepEqual(rest, { ...hello(1), PUBLISH: 1, PING: 1 });
      });

      it('counts what takes longer than VITALS_SLOW_QUERY_MS as slow, but no wait for a message', async () => {
        assert.deepEqual(await addedBy('wait', 0.3), { BLPOP: 1 });
        assert.deepEqual(await addedBy('slow', 0.3), { DEBUG: 1 });
        const metrics = await app.metrics();
        const slow = (name: string) =>
          metrics.value('vitals_db_slow_queries_total', { db_operation_name: name });
        assert.deepEqual([slow('BLPOP'), slow('DEBUG')], [undefined, 1]);
      });

      it('goes on over the connection that a client opens after it lost one', async () => {
        assert.equal(pool(await app.metrics(), place()).used, 2);
        assert.deepEqual(await addedBy('reconnect'), { ...hello(1), CLIENT: 2, GET: 1 });
        assert.equal(pool(await app.metrics(), place()).used, 2);
      });

      if (hasPools) {
        it('counts a command that a closed client refuses', async () => {
          assert.deepEqual(await addedBy('refused'), { 'GET | ClientClosedError': 1 });
        });

        it('shows a pool of clients apart from clients of their own', async () => {
          const { HELLO, ...rest } = await addedBy('openPool', 'shared', { minimum: 1, maximum: 2 });
          assert.deepEqual(rest, { SET: 1, GET: 1, INCR: 1 });
          const shared = `${place()}#2`;
          const idle = pool(await app.metrics(), shared);
          assert.deepEqual([idle.used, idle.idle, idle.waited, idle.returned], [0, 1, 3, 3]);
          await app.step('hold', 'shared', 2);
          await app.step('ask', 'shared');
          const busy = pool(await app.metrics(), shared);
          assert.deepEqual([busy.used, busy.idle, busy.pending, busy.waited], [2, 0, 1, 5]);

          await app.step('openPool', 'tight', { minimum: 1, maximum: 1, acquireTimeout: 50 });
          await app.step('hold', 'tight', 1);
          await app.step('acquireTimeout', 'tight');
          const tight = pool(await app.metrics(), `${place()}#3`);
          assert.deepEqual([tight.used, tight.pending, tight.timeouts], [1, 0, 1]);

          await app.step('free');
          const freed = pool(await app.metrics(), shared);
          assert.deepEqual([freed.used, freed.idle, freed.pending, freed.returned], [0, 2, 0, 6]);
          await app.step('closePool', 'shared');
          assert.deepEqual(poolNames(await app.metrics()), [place(), `${place()}#3`]);
        });
      }

      it('counts a client that was closed no more', async () => {
        await app.step('close', 'other');
        assert.equal(pool(await app.metrics(), place()).used, 1);
      });
    });
  });
}
