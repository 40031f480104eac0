import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { preload, register, repository, runApp } from '../helpers/app';
import { operations, placeOf, pool } from '../helpers/database-metrics';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';
import type { Samples } from '../helpers/samples';
import { active, served, startWeb, type Way } from '../helpers/web-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'from-npm');

let postgres: PostgresDatabase;
let redis: RedisServer;
let env: Record<string, string>;
before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
});
after(async () => {
  await Promise.all([postgres?.close(), redis?.close()]);
});

/** Each session finds Redis empty, as each finds its tables new. */
async function flushRedis(): Promise<void> {
  const socket = connect(redis.port, '127.0.0.1');
  socket.write('FLUSHALL\r\n');
  await once(socket, 'data');
  socket.destroy();
}

type Request = readonly [line: string, body?: object];
interface Session {
  readonly answers: unknown[];
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What an application prints, with its port told apart from nothing and without the agent's own lines. */
const tidy = (text: string): string =>
  text.replaceAll(/(listening on) \d+/g, '$1 PORT').replaceAll(/^otel-vitals .*\n/gm, '');

/** Starts an application, asks it, looks at its metrics, and ends it by a signal. */
async function session(
  script: string,
  way: Way,
  requests: readonly Request[],
  signal: NodeJS.Signals,
  look?: (metrics: Samples) => void,
): Promise<Session> {
  await flushRedis();
  const web = await startWeb(join(apps, script), way, { env, cwd: join(apps, script, '..') });
  const answers = [];
  for (const [line, body] of requests) {
    const [method, path] = line.split(' ') as [string, string];
    answers.push(await web.ask(path, { method, ...(body && { body: JSON.stringify(body) }) }));
  }
  if (way !== 'bare') {
    const metrics = await web.metrics();
    look?.(metrics);
    assert.equal(active(metrics), 0);
    assert.doesNotMatch(metrics.text, /secret/);
  }
  web.app.kill(signal);
  const { code, signal: killed, stdout, stderr } = await web.app.exit;
  return { answers, code, signal: killed, stdout: tidy(stdout), stderr: tidy(stderr) };
}

/** Runs a script to its end in each way; all must be the same. */
async function sameEnd(script: string, args: readonly string[], extra: Record<string, string> = {}) {
  const ends = [];
  for (const nodeArgs of [[], ['--require', preload], ['--import', register]]) {
    const exit = await runApp(join(apps, script), { nodeArgs, args, env: { ...env, ...extra } });
    ends.push({ code: exit.code, signal: exit.signal, stdout: exit.stdout, stderr: tidy(exit.stderr) });
  }
  assert.deepEqual(ends[1], ends[0]);
  assert.deepEqual(ends[2], ends[0]);
  return ends[0]!;
}

describe('bookmarks: express with knex, PostgreSQL and node-redis', () => {
  const script = 'bookmarks/server.js';
  const bookmark = { url: 'https://example.org/secret', title: 'Example' };
  const requests: readonly Request[] = [
    ['GET /healthz'],
    ['GET /api/bookmarks'],
    ['POST /api/bookmarks', bookmark],
    ['POST /api/bookmarks', bookmark],
    ['POST /api/bookmarks', { title: 'no address' }],
    ['GET /api/bookmarks/1?secret=1'],
    ['GET /api/bookmarks/1'],
    ['POST /api/bookmarks/1/visits'],
    ['GET /api/bookmarks/1'],
    ['GET /api/bookmarks/99'],
    ['GET /nothing/7'],
  ];
  const look = (metrics: Samples): void => {
    assert.deepEqual(served(metrics), {
      'GET /healthz 200': 1,
      'GET /api/bookmarks 200': 1,
      'POST /api/bookmarks 201': 1,
      'POST /api/bookmarks 409': 1,
      'POST /api/bookmarks 422': 1,
      'GET /api/bookmarks/:id 200': 3,
      'GET /api/bookmarks/:id 404': 1,
      'POST /api/bookmarks/:id/visits 200': 1,
      'GET (none) 404': 1,
    });
    assert.deepEqual(operations(metrics, 'postgresql'), {
      SELECT: 2,
      'SELECT bookmarks': 5,
      'INSERT bookmarks': 1,
      'INSERT bookmarks | 23505': 1,
      BEGIN: 1,
      'UPDATE bookmarks': 1,
      COMMIT: 1,
    });
    assert.deepEqual(operations(metrics, 'redis'), { HELLO: 1, GET: 4, SET: 2, DEL: 1 });
    const { used, idle, limit, pending, waited, returned } = pool(metrics, placeOf(postgres.url));
    assert.deepEqual([used, idle, limit, pending, waited, returned], [0, 1, 4, 0, 8, 8]);
    assert.equal(pool(metrics, `127.0.0.1:${redis.port}/0`).used, 1);
    assert.deepEqual(metrics.labels('vitals_self_library_instrumented_total', 'library'), [
      'express',
      'knex',
      'pg',
      'redis',
    ]);
    assert.equal(metrics.value('target_info', { service_name: 'bookmarks', service_version: '2.4.0' }), 1);
  };

  it('answers, prints and ends by SIGTERM as without the agent, and all of it is measured', async () => {
    const run = async (way: Way) => {
      await runApp(join(apps, script), { nodeArgs: [], args: ['migrate'], env });
      return session(script, way, requests, 'SIGTERM', look);
    };
    const bare = await run('bare');
    assert.equal(bare.code, 0);
    assert.equal(bare.stdout, 'bookmarks listening on PORT\nclosing\nclosed\n');
    assert.deepEqual(await run('require'), bare);
  });

  it('dies of SIGINT, for which it has no handler, as without the agent', async () => {
    const bare = await session(script, 'bare', [['GET /healthz']], 'SIGINT');
    assert.equal(bare.signal, 'SIGINT');
    assert.deepEqual(await session(script, 'require', [['GET /healthz']], 'SIGINT'), bare);
  });

  it('ends by itself after its migration, and with its own code when it cannot start', async () => {
    assert.deepEqual(await sameEnd(script, ['migrate']), {
      code: 0,
      signal: null,
      stdout: 'migrated\n',
      stderr: '',
    });
    const { code, stderr } = await sameEnd(script, [], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    });
    assert.deepEqual([code, stderr], [3, 'cannot start: ECONNREFUSED\n']);
  });
});

describe('tasks: fastify with knex, PostgreSQL and ioredis', () => {
  const script = 'tasks/index.js';
  const requests: readonly Request[] = [
    ['POST /v1/tasks', { what: 'sleep' }],
    ['POST /v1/tasks', {}],
    ['GET /v1/tasks'],
    ['GET /v1/tasks/next'],
    ['GET /v1/tasks/next'],
    ['PATCH /v1/tasks/1'],
    ['PATCH /v1/tasks/9'],
    ['DELETE /v1/tasks/1'],
    ['GET /v1/tasks/1/secret'],
  ];
  const look = (metrics: Samples): void => {
    assert.deepEqual(served(metrics), {
      'POST /v1/tasks 201': 1,
      'POST /v1/tasks 400': 1,
      'GET /v1/tasks 200': 1,
      'GET /v1/tasks/next 200': 1,
      'GET /v1/tasks/next 204': 1,
      'PATCH /v1/tasks/:id 200': 1,
      'PATCH /v1/tasks/:id 404': 1,
      'DELETE /v1/tasks/:id 204': 1,
      'GET (none) 404': 1,
    });
    assert.deepEqual(operations(metrics, 'postgresql'), {
      SELECT: 1,
      'DROP TABLE tasks': 1,
      'CREATE TABLE tasks': 1,
      'INSERT tasks': 1,
      'SELECT tasks': 2,
      'UPDATE tasks': 2,
      'DELETE tasks': 1,
    });
    assert.deepEqual(operations(metrics, 'redis'), {
      HELLO: 1,
      INFO: 1,
      MULTI: 1,
      LPUSH: 1,
      LTRIM: 1,
      EXEC: 1,
      RPOP: 2,
    });
    const { used, idle, limit, waited } = pool(metrics, placeOf(postgres.url));
    assert.deepEqual([used, idle, limit, waited], [0, 1, 3, 8]);
  };

  it('answers, prints and ends by SIGINT as without the agent, and all of it is measured', async () => {
    const bare = await session(script, 'bare', requests, 'SIGINT');
    assert.deepEqual([bare.code, bare.stdout], [0, 'tasks listening on PORT\ngot SIGINT\n']);
    assert.deepEqual(await session(script, 'require', requests, 'SIGINT', look), bare);
  });

  it('dies of an uncaught exception as without the agent', async () => {
    const run = async (way: Way) => {
      const web = await startWeb(join(apps, script), way, { env });
      const { body } = await web.ask('/boom');
      const { code, signal, stdout, stderr } = await web.app.exit;
      return { body, code, signal, stdout: tidy(stdout), stderr: tidy(stderr) };
    };
    const bare = await run('bare');
    assert.equal(bare.code, 1);
    assert.match(bare.stderr, /Error: boom/);
    assert.deepEqual(await run('require'), bare);
  });
});

describe('links: ES modules, hono with knex, node-postgres and node-redis', () => {
  const script = 'links/main.js';
  const requests: readonly Request[] = [
    ['POST /api/links', { slug: 'a1', target: 'https://example.org/' }],
    ['GET /a1'],
    ['GET /a1'],
    ['GET /secret-9'],
    ['GET /api/links/stats'],
    ['GET /api/nothing/secret'],
  ];
  const look = (hasRoutes: boolean) => (metrics: Samples) => {
    const routes = {
      'POST /api/links 201': 1,
      'GET /:slug 302': 2,
      'GET /:slug 404': 1,
      'GET /api/links/stats 200': 1,
      'GET (none) 404': 1,
    };
    const none = { 'POST (none) 201': 1, 'GET (none) 302': 2, 'GET (none) 404': 2, 'GET (none) 200': 1 };
    assert.deepEqual(served(metrics), hasRoutes ? routes : none);
    assert.deepEqual(operations(metrics, 'postgresql'), {
      SELECT: 1,
      'DROP TABLE links': 1,
      'CREATE TABLE links': 1,
      'INSERT links': 1,
      'SELECT links': 3,
    });
    assert.deepEqual(operations(metrics, 'redis'), { HELLO: 1, GET: 3, DEL: 1, SETEX: 1 });
    const place = placeOf(postgres.url);
    assert.deepEqual([pool(metrics, place).limit, pool(metrics, place).idle], [2, 1]);
    assert.deepEqual([pool(metrics, `${place}#2`).limit, pool(metrics, `${place}#2`).waited], [1, 1]);
  };

  it('answers, prints and ends by SIGTERM as without the agent, and all of it is measured', async () => {
    const bare = await session(script, 'bare', requests, 'SIGTERM');
    assert.deepEqual([bare.code, bare.stdout], [7, 'links listening on PORT\nbye\n']);
    assert.deepEqual(await session(script, 'import', requests, 'SIGTERM', look(true)), bare);
    // What hono is made of are ES modules, which only --import can see into.
    assert.deepEqual(await session(script, 'require', requests, 'SIGTERM', look(false)), bare);
    assert.deepEqual(await session(script, 'NODE_OPTIONS', requests, 'SIGTERM', look(true)), bare);
  });
});
