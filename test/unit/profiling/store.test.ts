import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CaptureRecord } from '../../../instrumentation/profiling/capture';
import { StoreError } from '../../../instrumentation/profiling/errors';
import { openFolder } from '../../../instrumentation/profiling/worker/folder';
import { captureId, createStore } from '../../../instrumentation/profiling/worker/store';

const root = mkdtempSync(join(tmpdir(), 'otel-vitals-test-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const freshFolder = (): string => join(root, `captures-${++folders}`);

function record(minute: number, more: Partial<CaptureRecord> = {}): CaptureRecord {
  const startedAt = new Date(Date.UTC(2026, 6, 30, 10, minute));
  return {
    id: captureId('cpu', startedAt),
    kind: 'cpu',
    format: 'pprof',
    trigger: { source: 'manual' },
    startedAt: startedAt.toISOString(),
    durationMs: 2000,
    stopped: false,
    bytes: 0,
    service: 'shop',
    nodeVersion: '20.0.0',
    pid: 1,
    notes: [],
    ...more,
  };
}

const isStoreError = (code: string, status: number) => (error: unknown) => {
  assert.ok(error instanceof StoreError, String(error));
  assert.deepEqual([error.code, error.status], [code, status]);
  return true;
};

test('a folder that cannot be made is said to be so, and nothing tries for ever', async () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  const refused: [string, RegExp][] = [
    [file, /is not a folder/],
    [join(file, 'below'), /can't be (read|made) \(ENOTDIR\)/],
  ];
  if (process.platform === 'linux')
    refused.push(['/proc/nope', /can't be made \(ENOENT\)/], ['/proc/no/way', /can't be made \(ENOENT\)/]);
  for (const [folder, why] of refused) {
    await assert.rejects(createStore(folder, 1e6).save(record(1), Buffer.from('x')), error => {
      assert.match((error as Error).message, why);
      return isStoreError('FOLDER_REFUSED', 500)(error);
    });
  }
});

test('a capture is kept with its facts, closed to others, in a folder made for it', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 1e6);
  const saved = record(1);
  await store.save(saved, Buffer.from('profile'));
  assert.deepEqual(readdirSync(folder).sort(), [`${saved.id}.json`, `${saved.id}.pb.gz`]);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, `${saved.id}.json`), 'utf8')), saved);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder))
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  const opened = await store.open(saved.id);
  assert.equal(await opened!.file.readFile('utf8'), 'profile');
  assert.equal(opened!.name, `${saved.id}.pb.gz`);
  await opened!.file.close();
});

test('an identifier is kind, time and chance, and sorts by time', () => {
  const id = captureId('heap', new Date(Date.UTC(2026, 6, 30, 10, 15, 0, 123)), () =>
    Buffer.from('1f2e3d4c', 'hex'),
  );
  assert.equal(id, 'heap-20260730T101500123Z-1f2e3d4c');
});

test('captures are listed newest first, whatever their kind, and those of other processes too', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 1e6);
  const kinds = ['heap', 'cpu', 'block'] as const;
  for (const minute of [2, 0, 1]) {
    const id = captureId(kinds[minute]!, new Date(Date.UTC(2026, 6, 30, 10, minute)));
    await createStore(folder, 1e6).save(record(minute, { id, kind: kinds[minute]! }), Buffer.alloc(1));
  }
  assert.deepEqual(
    (await store.list()).map(({ kind }) => kind),
    ['block', 'cpu', 'heap'],
  );
});

test('the oldest captures go when a new one needs their space', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 25_000);
  for (const minute of [1, 2, 3]) await store.save(record(minute), Buffer.alloc(10_000));
  const times = (await store.list()).map(({ startedAt }) => startedAt.slice(14, 16));
  assert.deepEqual(times, ['03', '02']);
  const { count, bytes } = await store.usage();
  assert.equal(count, 2);
  assert.ok(bytes > 20_000 && bytes <= 25_000, String(bytes));
  assert.equal(readdirSync(folder).length, 4);
});

test('many captures at once never take more than the quota', async () => {
  const store = createStore(freshFolder(), 25_000);
  await Promise.all([1, 2, 3, 4, 5, 6].map(minute => store.save(record(minute), Buffer.alloc(10_000))));
  assert.equal((await store.usage()).count, 2);
});

test('a capture larger than the quota is refused, and nothing goes for it', async () => {
  const store = createStore(freshFolder(), 25_000);
  await store.save(record(1), Buffer.alloc(100));
  await assert.rejects(store.save(record(2), Buffer.alloc(30_000)), isStoreError('CAPTURE_TOO_LARGE', 507));
  assert.equal((await store.usage()).count, 1);
});

test('a full disk is an error that says so, and leaves nothing behind', async () => {
  const folder = freshFolder();
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const store = createStore(folder, 1e6, async (path, name, data) => {
    writeFileSync(join(path, `${name}.part`), data.subarray(0, 3));
    throw full;
  });
  await assert.rejects(store.save(record(1), Buffer.from('profile')), isStoreError('DISK_FULL', 507));
  assert.deepEqual(readdirSync(folder), []);
});

test('a folder that can not be written to is an error, not a crash', async () => {
  const file = join(root, 'a-file');
  writeFileSync(file, '');
  await assert.rejects(
    createStore(file, 1e6).save(record(1), Buffer.alloc(1)),
    isStoreError('FOLDER_REFUSED', 500),
  );
  await assert.rejects(
    createStore(join(file, 'below'), 1e6).save(record(1), Buffer.alloc(1)),
    isStoreError('FOLDER_REFUSED', 500),
  );
});

test('what is no capture of ours is neither listed, counted, opened nor removed', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 25_000);
  await store.save(record(1), Buffer.alloc(10));
  writeFileSync(join(folder, 'notes.txt'), Buffer.alloc(50_000));
  writeFileSync(join(folder, 'cpu-20260730T100000000Z-00000000.json'), '{"id": "another"}');
  assert.equal((await store.list()).length, 1);
  await store.save(record(2), Buffer.alloc(10_000));
  assert.ok(readdirSync(folder).includes('notes.txt'));
});

for (const id of [
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  'cpu-20260730T100000000Z-00000000/../x',
  'cpu-20260730T100000000Z-00000000.json',
  '',
  '.',
  'x'.repeat(10_000),
]) {
  test(`no file is opened for the identifier ${JSON.stringify(id.slice(0, 50))}`, async () => {
    assert.equal(await createStore(freshFolder(), 1e6).open(id), undefined);
  });
}

test('a link in the place of a capture is not followed', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 1e6);
  const saved = record(1);
  await store.save(saved, Buffer.from('profile'));
  const secret = join(root, 'secret');
  writeFileSync(secret, 'secret');
  rmSync(join(folder, `${saved.id}.pb.gz`));
  symlinkSync(secret, join(folder, `${saved.id}.pb.gz`));
  assert.equal(await store.open(saved.id), undefined);
});

test('a file that a process left half written goes after a while, and one being written stays', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 1e6);
  await store.save(record(1), Buffer.alloc(1));
  const part = (id: string) => join(folder, `${id}.pb.gz.part`);
  const [old, young] = [record(2).id, record(3).id];
  for (const id of [old, young]) writeFileSync(part(id), 'half');
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(part(old), hourAgo, hourAgo);
  await store.usage();
  const names = readdirSync(folder).filter(name => name.endsWith('.part'));
  assert.deepEqual(names, [`${young}.pb.gz.part`]);
});

test('a folder that is not there yet is empty', async () => {
  const store = createStore(freshFolder(), 1e6);
  assert.deepEqual([await store.list(), await store.usage()], [[], { count: 0, bytes: 0 }]);
});

test('without a setting captures lie in a folder of this user alone, which a stranger can not have prepared', async () => {
  const temporary = process.env['TMPDIR'];
  process.env['TMPDIR'] = mkdtempSync(join(root, 'tmp-'));
  try {
    const folder = openFolder(undefined);
    await folder.ensure();
    assert.equal(statSync(folder.path).mode & 0o777, 0o700);
    await folder.check();

    chmodSync(folder.path, 0o755);
    await assert.rejects(folder.check(), /is open to other users/);

    rmSync(folder.path, { recursive: true });
    mkdirSync(join(root, 'elsewhere'), { recursive: true });
    symlinkSync(join(root, 'elsewhere'), folder.path);
    await assert.rejects(folder.ensure(), /is not a folder/);
  } finally {
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
  }
});

test('the tag is another one after each capture that comes or goes, and the same while none does', async () => {
  const folder = freshFolder();
  const store = createStore(folder, 1e6);
  const tags = [await store.tag()];
  const first = record(1);
  for (const change of [
    () => store.save(first, Buffer.from('profile')),
    () => store.save(record(2), Buffer.from('profile')),
    async () => rmSync(join(folder, `${first.id}.json`)),
  ]) {
    // Times of files are as fine as the kernel's clock tick.
    await new Promise(resolve => setTimeout(resolve, 20));
    await change();
    tags.push(await store.tag());
    assert.equal(await store.tag(), tags[tags.length - 1]);
  }
  await store.list();
  assert.equal(await store.tag(), tags[tags.length - 1], 'reading is no change');
  assert.equal(new Set(tags).size, tags.length, tags.join(' '));
});
