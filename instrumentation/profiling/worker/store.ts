import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaptureKind, CaptureRecord } from '../capture';
import { captureKinds } from '../capture';
import { StoreError } from '../errors';
import { openFolder } from './folder';

/** Captures kept at most, whatever their size; the folder is listed at every request. */
const maxCaptures = 500;
/** Age in milliseconds from which an unfinished file is taken for the remains of a process that ended. */
const abandonedMs = 10 * 60_000;
const idPattern = new RegExp(`^(?:${captureKinds.join('|')})-\\d{8}T\\d{9}Z-[0-9a-f]{8}$`);
const extensions = { pprof: '.pb.gz', trace: '.trace.json.gz' } as const;
type Format = keyof typeof extensions;

/** Captures on disk, of this process and of others that share the folder; the oldest go when space is needed. */
export interface CaptureStore {
  readonly folder: string;
  readonly maxBytes: number;
  /** @throws StoreError when it can't be kept: a full disk, more than the quota, a folder that isn't ours. */
  save(record: CaptureRecord, data: Uint8Array): Promise<void>;
  /** Newest first. */
  list(): Promise<CaptureRecord[]>;
  /** The file of a capture, open for reading, whatever the caller gave for an id; `undefined` when there is none. */
  open(id: string): Promise<{ record: CaptureRecord; file: FileHandle; name: string } | undefined>;
  usage(): Promise<{ count: number; bytes: number }>;
  /** Another one whenever the list is another, without reading it; never rejects. */
  tag(): Promise<string>;
}

/** An identifier that sorts by time and is a file name: `cpu-20260730T101500123Z-1f2e3d4c`. */
export function captureId(kind: CaptureKind, now: Date, random = randomBytes): string {
  return `${kind}-${now.toISOString().replaceAll(/[-:.]/g, '')}-${random(4).toString('hex')}`;
}

/**
 * @param folder where captures lie; created when the first one is saved. Default: a folder of this user's under the
 *   system's temporary folder
 * @param maxBytes the quota for all files together
 * @param write how a file is written; a parameter for tests
 */
export function createStore(
  folder: string | undefined,
  maxBytes: number,
  write: typeof writeWhole = writeWhole,
): CaptureStore {
  const place = openFolder(folder);
  let saving: Promise<unknown> = Promise.resolve();

  const save = async (record: CaptureRecord, data: Uint8Array): Promise<void> => {
    await place.ensure();
    const json = Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
    const needed = data.byteLength + json.byteLength;
    if (needed > maxBytes) {
      throw new StoreError(
        'CAPTURE_TOO_LARGE',
        507,
        `the capture has ${needed} bytes, more than VITALS_CAPTURE_MAX_BYTES (${maxBytes}) allows for all`,
      );
    }
    await makeRoom(place.path, maxBytes - needed, maxCaptures - 1);
    try {
      await write(place.path, record.id + extensions[record.format], data);
      await write(place.path, `${record.id}.json`, json);
    } catch (error) {
      await remove(place.path, record.id);
      throw writeFailure(error, place.path);
    }
  };

  return {
    folder: place.path,
    maxBytes,
    save(record, data) {
      // One after the other, or two would make room for themselves in the same space.
      const saved = saving.then(() => save(record, data));
      saving = saved.catch(() => {});
      return saved;
    },
    async list() {
      await place.check();
      const ids = (await scan(place.path)).map(({ id }) => id);
      const records = await Promise.all(ids.map(id => readRecord(place.path, id)));
      return records.filter(record => record !== undefined).reverse();
    },
    async open(id) {
      if (!idPattern.test(id)) return undefined;
      await place.check();
      const record = await readRecord(place.path, id);
      if (record === undefined) return undefined;
      const name = id + extensions[record.format];
      const file = await openRegular(join(place.path, name));
      return file === undefined ? undefined : { record, file, name };
    },
    async usage() {
      await place.check();
      const files = await scan(place.path);
      return { count: files.length, bytes: files.reduce((total, { bytes }) => total + bytes, 0) };
    },
    tag() {
      // A capture comes by renaming and goes by removing, and both are a change of the folder.
      return stat(place.path, { bigint: true }).then(
        ({ mtimeNs, ino }) => `${ino}-${mtimeNs}`,
        () => 'none',
      );
    },
  };
}

interface Entry {
  readonly id: string;
  readonly names: readonly string[];
  readonly bytes: number;
}

/** What lies in the folder and is ours by its name, oldest first; a folder that does not exist is empty. */
async function scan(folder: string): Promise<Entry[]> {
  const found = new Map<string, { id: string; names: string[]; bytes: number }>();
  for (const name of await readdir(folder).catch(absentIsEmpty)) {
    const dot = name.indexOf('.');
    const id = name.slice(0, dot);
    if (!idPattern.test(id)) continue;
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info === undefined || !info.isFile()) continue;
    if (name.endsWith('.part')) {
      if (Date.now() - info.mtimeMs > abandonedMs) await unlinkQuietly(join(folder, name));
      continue;
    }
    const entry = found.get(id) ?? { id, names: [], bytes: 0 };
    entry.names.push(name);
    entry.bytes += info.size;
    found.set(id, entry);
  }
  // By time, which stands behind the kind.
  return [...found.values()].sort((a, b) => (timeOf(a.id) < timeOf(b.id) ? -1 : 1));
}

const timeOf = (id: string): string => id.slice(id.indexOf('-') + 1);

async function makeRoom(folder: string, maxBytes: number, maxCount: number): Promise<void> {
  const entries = await scan(folder);
  let bytes = entries.reduce((total, entry) => total + entry.bytes, 0);
  let count = entries.length;
  for (const entry of entries) {
    if (bytes <= maxBytes && count <= maxCount) return;
    for (const name of entry.names) await unlinkQuietly(join(folder, name));
    bytes -= entry.bytes;
    count--;
  }
}

/** Under another name first, so that no reader meets half a file. */
async function writeWhole(folder: string, name: string, data: Uint8Array): Promise<void> {
  const part = join(folder, `${name}.part`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(part, flags, 0o600);
  try {
    await file.writeFile(data);
  } finally {
    await file.close();
  }
  await rename(part, join(folder, name));
}

async function remove(folder: string, id: string): Promise<void> {
  for (const extension of [...Object.values(extensions), '.json']) {
    await unlinkQuietly(join(folder, id + extension));
    await unlinkQuietly(join(folder, `${id}${extension}.part`));
  }
}

async function unlinkQuietly(path: string): Promise<void> {
  // Gone already, by another process that shares the folder, or not ours to remove: either way there is no more to do.
  await unlink(path).catch(() => {});
}

async function readRecord(folder: string, id: string): Promise<CaptureRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, `${id}.json`), 'utf8')) as CaptureRecord;
    return record.id === id && (record.format as Format) in extensions ? record : undefined;
  } catch {
    // Removed in between, or damaged: a capture that can't be described is not offered.
    return undefined;
  }
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return undefined;
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw writeFailure(error, '');
}

function writeFailure(error: unknown, folder: string): StoreError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new StoreError(
    full ? 'DISK_FULL' : 'STORE_FAILED',
    full ? 507 : 500,
    full
      ? `the disk is full: ${folder} takes no more captures (${code})`
      : `captures can't be kept: ${message}`,
    { cause: error },
  );
}
