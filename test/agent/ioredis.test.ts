import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { aliased } from '../helpers/alias';
import { repository } from '../helpers/app';
import { added, operations, pool } from '../helpers/database-metrics';
import { type RedisServer, startRedis } from '../helpers/redis';
import { type SteppedApp, startStepped } from '../helpers/stepped-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'use-ioredis');

let redis: RedisServer;
before(async () => {
  redis = await startRedis(['--enable-debug-command', 'yes']);
});
after(() => redis?.close());

const start = (script: string, way: 'bare' | 'require' | 'import', library?: string): Promise<SteppedApp> =>
  startStepped(join(apps, script), {
    way,
    env: { REDIS_URL: redis.url, VITALS_SLOW_QUERY_MS: '150', IOREDIS: library },
  });

const commands = { FLUSHDB: 1, SET: 1, GET: 6, INCR: 1, HSET: 1, HGETALL: 1, MGET: 1, PING: 1 };
const place = () => `127.0.0.1:${redis.port}/0`;

for (const [script, way] of [
  ['default.mjs', 'import'],
  ['named.mjs', 'import'],
  ['named.mjs', 'require'],
] as const) {
  it(`commands and connections of ${script} are measured under --${way}`, async () => {
    const app = await start(script, way);
    await app.step('connect', 'main');
    await app.step('commands');
    const metrics = await app.metrics();
    assert.deepEqual(operations(metrics, 'redis'), { HELLO: 1, INFO: 1, ...commands });
    assert.equal(pool(metrics, place()).used, 1);
    await app.end();
  });
}

for (const version of [5, 6]) {
  const library = version === 5 ? aliased('ioredis5', 'ioredis') : undefined;
  /** What a client asks a new connection; from 6 on it says HELLO. */
  const introduction = version === 5 ? { INFO: 1 } : { HELLO: 1, INFO: 1 };

  describe(`ioredis ${version}`, () => {
    let app: SteppedApp;
    before(async () => {
      app = await start('app.js', 'require', library);
      await app.step('connect', 'main');
      await app.step('connect', 'other');
    });
    after(() => app?.end());

    async function addedBy(step: string, ...args: unknown[]): Promise<Record<string, number>> {
      const earlier = operations(await app.metrics(), 'redis');
      await app.step(step, ...args);
      return added(earlier, operations(await app.metrics(), 'redis'));
    }

    it('an application sees the same with the agent as without it', async () => {
      const answers = async (way: 'bare' | 'require') => {
        const one = await start('app.js', way, library);
        const seen = [await one.step('connect', 'main'), await one.step('connect', 'other')];
        for (const step of [
          'commands',
          'transactions',
          'fails',
          'pubSub',
          'reconnect',
          'offline',
          'behaviour',
        ]) {
          seen.push(await one.step(step));
        }
        await one.end();
        return seen;
      };
      assert.deepEqual(await answers('require'), await answers('bare'));
    });

    it('measures each command once, and shows no key and no value', async () => {
      assert.deepEqual(await addedBy('commands'), commands);
      assert.doesNotMatch((await app.metrics()).text, /secret|apples|visits/);
    });

    it('measures the commands of pipelines, MULTI and scripts one by one', async () => {
      assert.deepEqual(await addedBy('transactions'), {
        SET: 2,
        INCR: 3,
        'LPUSH | WRONGTYPE': 1,
        GET: 3,
        MULTI: 3,
        EXEC: 3,
        WATCH: 1,
        // The first call of a script finds that the server has it not.
        EVAL: 1,
        EVALSHA: 1,
      });
    });

    it('says by error.type why a command failed, and names no command that is none', async () => {
      assert.deepEqual(await addedBy('fails'), {
        ...introduction,
        SET: 1,
        'LPUSH | WRONGTYPE': 1,
        '_OTHER | ERR': 1,
        'EVALSHA | NOSCRIPT': 1,
        'GET | _OTHER': 1,
        'DEBUG | timeout': 1,
      });
    });

    it('leaves a message to its subscriber', async () => {
      assert.deepEqual(await addedBy('pubSub'), { ...introduction, SUBSCRIBE: 1, PUBLISH: 1 });
    });

    it('counts what takes longer than VITALS_SLOW_QUERY_MS as slow, but no wait for a message', async () => {
      const slow = async (command: string) =>
        (await app.metrics()).value('vitals_db_slow_queries_total', { db_operation_name: command }) ?? 0;
      const earlier = await slow('DEBUG');
      assert.deepEqual(await addedBy('wait', 0.3), { BLPOP: 1 });
      assert.deepEqual(await addedBy('slow', 0.3), { DEBUG: 1 });
      assert.equal(await slow('BLPOP'), 0);
      assert.equal((await slow('DEBUG')) - earlier, 1);
    });

    it('measures a command once that is sent again after its connection was lost', async () => {
      assert.equal(pool(await app.metrics(), place()).used, 2);
      assert.deepEqual(await addedBy('reconnect'), { ...introduction, CLIENT: 2, BLPOP: 1, GET: 1 });
      assert.equal(pool(await app.metrics(), place()).used, 2);
    });

    it('measures a command once that waited for the first connection', async () => {
      assert.deepEqual(await addedBy('offline'), { ...introduction, GET: 2, QUIT: 1 });
    });

    it('counts a client that was closed no more', async () => {
      await app.step('close', 'other');
      assert.equal(pool(await app.metrics(), place()).used, 1);
    });
  });
}
