import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { endChildWithProcess, removeFolder } from './lifetime';
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
  const { child, port, close } = await (async () => {
    const programs = postgresPrograms(user, folder);
    await initialise(programs, folder, data, password, user);
    return startServerProcess({
      name: 'PostgreSQL',
      command: join(programs, 'postgres'),
      args: free => ['-D', data, '-p', String(free), ...settings.flatMap(setting => ['-c', setting])],
      ready: /database system is ready to accept connections/,
      options: { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } },
      // SIGQUIT is PostgreSQL's immediate shutdown: its own children go too, which a SIGKILL would orphan.
      ending: { signal: 'SIGINT', graceMs: 5000, atOnce: 'SIGQUIT' },
    });
  })().catch(error => {
    removeFolder(folder);
    throw error;
  });

  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    origin: 'embedded',
    pid: child.pid!,
    close: () => close().then(() => removeFolder(folder)),
  };
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

async function initialise(
  programs: string,
  folder: string,
  data: string,
  password: string,
  user: RunAs,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const child = spawn(
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
    {
      ...user,
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C' },
      detached: true,
      timeout: 120_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  endChildWithProcess(child, { signal: 'SIGTERM', graceMs: 5000 });
  const failed = (why: string) => new ServerStartError(`initdb failed: ${why.trim().slice(-2000)}`);
  const closed = once(child, 'close').catch(error => Promise.reject(failed(String(error))));
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ]);
  if (code !== 0) throw failed(`${signal ?? `exit code ${code}`}\n${stdout}${stderr}`);
}
