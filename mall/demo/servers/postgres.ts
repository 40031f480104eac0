import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithProcess, removeFolder, stopProcess, waitNow } from './lifetime';
import type { RunAs } from './postgres-binaries';
import { folderFor, postgresPrograms, postgresUser } from './postgres-binaries';
import { createScratchDatabase } from './scratch-database';
import { ServerStartError, startServerProcess } from './server-process';

/** An empty PostgreSQL database. */
export interface PostgresDatabase {
  /** Connection string of a database that is ours alone. */
  readonly url: string;
  /** Where it lives: the server of DATABASE_URL, or one started here. */
  readonly origin: 'DATABASE_URL' | 'embedded';
  /** Process id of the server, where it was started here. */
  readonly pid?: number;
  close(): Promise<void>;
}

/**
 * An empty database on a real PostgreSQL: a scratch database on the server of DATABASE_URL, else an embedded server
 * in a temporary folder on an ephemeral loopback port. `close` removes it, and so does the end of this process.
 *
 * @throws {@link ServerStartError} when neither is possible
 */
export async function startPostgres(databaseUrl = process.env['DATABASE_URL']): Promise<PostgresDatabase> {
  return databaseUrl ? createScratchDatabase(databaseUrl) : startEmbedded();
}

async function startEmbedded(): Promise<PostgresDatabase> {
  const user = postgresUser();
  const folder = folderFor(user);
  const data = join(folder, 'data');
  const password = randomBytes(18).toString('hex');
  const { child, port } = await (async () => {
    const programs = postgresPrograms(user, folder);
    initialise(programs, folder, data, password, user);
    return startServerProcess({
      name: 'PostgreSQL',
      command: join(programs, 'postgres'),
      args: free => ['-D', data, '-p', String(free), ...settings.flatMap(setting => ['-c', setting])],
      ready: /database system is ready to accept connections/,
      options: { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } },
    });
  })().catch(error => {
    removeFolder(folder);
    throw error;
  });

  const close = endWithProcess({
    async close() {
      await stopProcess(child, 'SIGINT', 5000);
      removeFolder(folder);
    },
    closeNow() {
      // SIGQUIT is PostgreSQL's immediate shutdown: its own children go too, which a SIGKILL would orphan.
      child.kill('SIGQUIT');
      waitNow(() => !existsSync(join(data, 'postmaster.pid')), 3000);
      removeFolder(folder);
    },
  });
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  return { url, origin: 'embedded', pid: child.pid!, close };
}

/** The data is thrown away, so nothing waits for the disk. */
const settings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'shared_buffers=64MB',
  'max_connections=200',
  'logging_collector=off',
];

function initialise(programs: string, folder: string, data: string, password: string, user: RunAs): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const { status, error, stdout, stderr } = spawnSync(
    join(programs, 'initdb'),
    [
      `--pgdata=${data}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ],
    { ...user, cwd: folder, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, timeout: 120_000 },
  );
  if (status !== 0) throw new ServerStartError(`initdb failed: ${error?.message ?? stderr + stdout}`);
}
