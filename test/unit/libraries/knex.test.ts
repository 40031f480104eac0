import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knexTargets } from '../../../instrumentation/libraries/knex';
import { createPatcher } from '../../../instrumentation/libraries/patcher';
import { createLog } from '../../../instrumentation/log';

class KnexTimeoutError extends Error {
  override name = 'KnexTimeoutError';
}
const cancelled = Object.assign(new Error('canceling statement due to user request'), { code: '57014' });

interface Query {
  readonly sql: string;
  readonly timeout?: number | false;
}

/** knex as far as the hooks see it: the client asks the driver, and the runner gives up on the client. */
function fakeKnex(driver: () => Promise<unknown>, giveUp?: Error) {
  class Client {
    readonly dialect = 'postgresql';
    query(_connection: unknown, _query: Query): Promise<unknown> {
      return driver();
    }
    stream(): Promise<unknown> {
      return driver();
    }
  }
  class Runner {
    readonly connection = {};
    readonly client = new Client();
    async query(query: Query): Promise<unknown> {
      const asked = this.client.query(this.connection, query);
      if (giveUp === undefined) return asked;
      await asked.catch(() => {});
      throw giveUp;
    }
    async ensureConnection(): Promise<unknown> {
      return undefined;
    }
  }
  const ended: unknown[] = [];
  const recorder = { end: (text: string, _start: number, error?: unknown) => ended.push([text, error]) };
  const targets = knexTargets({ operations: { sql: () => recorder, redis: recorder }, pools: undefined });
  const patcher = createPatcher(createLog('warn'));
  for (const { file, hook } of targets) {
    const path = file.test('lib/client.js') ? 'lib/client.js' : 'lib/execution/runner.js';
    hook(path === 'lib/client.js' ? Client : Runner, patcher, path);
  }
  return { runner: new Runner(), ended };
}

test('a query that was cancelled because it ran out of time failed by the timeout, as its caller is told', async () => {
  const timeout = new KnexTimeoutError('out of time');
  const { runner, ended } = fakeKnex(() => Promise.reject(cancelled), timeout);
  await assert.rejects(runner.query({ sql: 'SELECT 1', timeout: 50 }), timeout);
  assert.deepEqual(ended, [['SELECT 1', timeout]]);
});

test('a query that failed within its time has the error of the driver, once', async () => {
  const { runner, ended } = fakeKnex(() => Promise.reject(cancelled));
  await assert.rejects(runner.query({ sql: 'SELECT 1', timeout: 50 }), cancelled);
  assert.deepEqual(ended, [['SELECT 1', cancelled]]);
});

test('a query that succeeds, but whose answer the application rejects, has succeeded', async () => {
  const rejected = new Error('by postProcessResponse');
  const { runner, ended } = fakeKnex(() => Promise.resolve('rows'), rejected);
  await assert.rejects(runner.query({ sql: 'SELECT 1', timeout: 50 }), rejected);
  await assert.rejects(runner.query({ sql: 'SELECT 2', timeout: false }), rejected);
  assert.deepEqual(ended, [
    ['SELECT 1', undefined],
    ['SELECT 2', undefined],
  ]);
});
