import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { endWithProcess } from './lifetime';
import type { PostgresDatabase } from './postgres';
import { ServerStartError } from './server-process';

/** Creates an empty database on the server of `databaseUrl`, so that what is there already stays untouched. */
export async function createScratchDatabase(databaseUrl: string): Promise<PostgresDatabase> {
  if (!/^postgres(ql)?:$/.test(URL.canParse(databaseUrl) ? new URL(databaseUrl).protocol : '')) {
    throw new ServerStartError(
      'DATABASE_URL: expected a URL such as postgres://user:password@127.0.0.1:5432/database',
    );
  }
  const name = `vitals_${process.pid}_${randomBytes(4).toString('hex')}`;
  const drop = `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`;
  try {
    await runStatement(databaseUrl, `CREATE DATABASE "${name}"`);
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message || (cause as { code?: string }).code : String(cause);
    throw new ServerStartError(`cannot create a database on the server of DATABASE_URL: ${reason}`, {
      cause,
    });
  }
  const orphan = {
    script: `const { Client } = require('pg');
      const client = new Client({ connectionString: process.env.SCRATCH_SERVER });
      client.connect().then(() => client.query(process.env.SCRATCH_DROP)).finally(() => client.end());`,
    cwd: __dirname,
    env: { SCRATCH_SERVER: databaseUrl, SCRATCH_DROP: drop, NODE_OPTIONS: '' },
  };
  const close = endWithProcess({
    close: () => runStatement(databaseUrl, drop),
    closeNow() {
      const { script, cwd, env } = orphan;
      spawnSync(process.execPath, ['-e', script], { cwd, env: { ...process.env, ...env }, timeout: 10_000 });
    },
    orphan,
  });
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return { url: url.href, origin: 'DATABASE_URL', close };
}

async function runStatement(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}
