import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { endWithProcess } from './lifetime';
import type { PostgresDatabase } from './postgres';
import { ServerStartError } from './server-process';

/** Creates an empty database on the server of `databaseUrl`, so that what is there already stays untouched. */
export async function createScratchDatabase(databaseUrl: string): Promise<PostgresDatabase> {
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
  const close = endWithProcess({
    close: () => runStatement(databaseUrl, drop),
    closeNow() {
      const script = `const { Client } = require('pg');
        const client = new Client({ connectionString: process.env.SCRATCH_SERVER });
        client.connect().then(() => client.query(process.env.SCRATCH_DROP)).finally(() => client.end());`;
      const env = { ...process.env, NODE_OPTIONS: '', SCRATCH_SERVER: databaseUrl, SCRATCH_DROP: drop };
      spawnSync(process.execPath, ['-e', script], { cwd: __dirname, env, timeout: 5000 });
    },
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
