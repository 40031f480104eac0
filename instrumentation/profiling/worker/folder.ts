import { lstat, mkdir, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { StoreError } from '../errors';

/** The folder of captures. */
export interface Folder {
  readonly path: string;
  /** Creates it where needed. @throws StoreError when it can't be had, or isn't safe to write to. */
  ensure(): Promise<void>;
  /** Refuses a folder that isn't safe; one that does not exist yet is. */
  check(): Promise<void>;
}

/**
 * The folder that was configured, or one of this user's own under the system's temporary folder. There anybody may
 * have made a folder or a link of that name before us, to read what we write or to have it written elsewhere, so that
 * one must be a real folder, ours, and closed to others.
 */
export function openFolder(configured: string | undefined): Folder {
  const own = configured === undefined;
  const path = own ? join(tmpdir(), `otel-vitals-${userName()}`) : absolute(configured);
  const check = async (): Promise<boolean> => {
    const info = await (own ? lstat(path) : stat(path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw failure(`can't be read (${error.code})`, error);
    });
    if (info === undefined) return false;
    if (!info.isDirectory()) throw failure('is not a folder');
    if (own && process.getuid !== undefined) {
      if (info.uid !== process.getuid()) throw failure(`belongs to another user (${info.uid})`);
      if ((info.mode & 0o077) !== 0) throw failure('is open to other users');
    }
    return true;
  };
  const failure = (what: string, cause?: unknown): StoreError =>
    new StoreError('FOLDER_REFUSED', 500, `the folder of captures ${path} ${what}; set VITALS_CAPTURE_DIR`, {
      cause,
    });
  return {
    path,
    async check() {
      await check();
    },
    async ensure() {
      if (await check()) return;
      await makeFolders(path).catch((error: NodeJS.ErrnoException) => {
        throw failure(`can't be made (${error.code})`, error);
      });
      // Whoever made it first in between is judged as well.
      await check();
    },
  };
}

/**
 * Makes a folder and those above it. Node.js's own way tries for ever where a folder is there and says of what is to be
 * made in it that it is missing, as /proc does.
 */
async function makeFolders(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error;
    await makeFolders(above);
    await makeFolder(path);
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    // What it is instead of a folder is judged by whoever asked.
    if (error.code !== 'EEXIST') throw error;
  });
}

const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path));

/** A number where there are no names, as for a user without an entry in the system's list. */
function userName(): string {
  if (process.getuid !== undefined) return String(process.getuid());
  try {
    return userInfo().username.replaceAll(/[^\w.-]/g, '_');
  } catch {
    // No such user is known; the folder is then one for all such processes.
    return 'shared';
  }
}
