import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createPools,
  type PoolKind,
  type PoolReading,
  type Pools,
} from '../../../instrumentation/meters/db-pool';
import { type MeterUnderTest, runMeter } from '../../helpers/http-meter';

interface FakePool {
  reading: PoolReading | undefined;
  name: string | undefined;
}

const kind: PoolKind<FakePool> = {
  read: pool => pool.reading,
  name: (pool, settle) => pool.name ?? (settle ? 'guessed' : undefined),
};
const opened = (name: string | null = 'host:1/db', used = 1): FakePool => ({
  reading: { used, idle: 2, pending: 3, limit: 4, idleMin: 0, idleMax: 4 },
  name: name ?? undefined,
});

let meter: MeterUnderTest;
let pools: Pools;
beforeEach(() => {
  meter = runMeter(context => {
    const made = createPools(context);
    pools = made.pools;
    return made.dispose;
  });
});

const count = 'db.client.connection.count';
const nameLabel = 'db.client.connection.pool.name';
const names = (metric = count): unknown[] => [
  ...new Set(meter.series(metric).map(({ attributes }) => attributes[nameLabel])),
];

test('a pool shows its connections by state, and its limits', () => {
  const pool = opened();
  pools.track(pool, kind);
  assert.equal(meter.total(count, { 'db.client.connection.state': 'used' }), 1);
  assert.equal(meter.total(count, { 'db.client.connection.state': 'idle' }), 2);
  assert.equal(meter.total('db.client.connection.pending_requests'), 3);
  assert.equal(meter.total('db.client.connection.limit'), 4);
  pool.reading = { used: 0, idle: 0 };
  assert.equal(meter.total(count), 0);
});

test('a second pool of the same place gets #2, and a closed one gives its name back', () => {
  const [first, second, third] = [opened(), opened(), opened()];
  pools.track(first, kind);
  pools.track(second, kind);
  assert.deepEqual(names(), ['host:1/db', 'host:1/db#2']);
  first.reading = undefined;
  pools.track(third, kind);
  assert.deepEqual(names().sort(), ['host:1/db', 'host:1/db#2']);
});

test('names go by the order of opening, whichever is used first', () => {
  const [first, second] = [opened(), opened()];
  pools.track(first, kind);
  pools.track(second, kind).waited(1);
  pools.track(first, kind).timedOut();
  assert.deepEqual(names('db.client.connection.wait_time'), ['host:1/db#2']);
  assert.equal(meter.total('db.client.connection.timeouts', { [nameLabel]: 'host:1/db' }), 1);
});

test('a pool whose place is not known yet waits for its name until it has a connection', () => {
  const pool = opened(null, 0);
  pool.reading = { used: 0, idle: 0 };
  pools.track(pool, kind);
  assert.deepEqual(names(), []);
  pool.name = 'found:2/db';
  assert.deepEqual(names(), ['found:2/db']);
  const other = opened(null);
  pools.track(other, kind);
  assert.deepEqual(names(), ['found:2/db', 'guessed']);
});

test('all series of a pool end with it, and events that come late are dropped', () => {
  const pool = opened();
  const tracked = pools.track(pool, kind);
  tracked.created(1);
  tracked.waited(1);
  tracked.used(1);
  tracked.timedOut();
  pool.reading = undefined;
  for (const metric of ['create_time', 'wait_time', 'use_time', 'timeouts', 'limit', 'count']) {
    assert.deepEqual(meter.series(`db.client.connection.${metric}`), [], metric);
  }
  tracked.used(1);
  tracked.timedOut();
  assert.deepEqual(meter.series('db.client.connection.use_time'), []);
});

test('a pool that is opened again is shown again', () => {
  const pool = opened();
  pools.track(pool, kind);
  pool.reading = undefined;
  assert.deepEqual(names(), []);
  pool.reading = { used: 5, idle: 0 };
  pools.track(pool, kind);
  assert.equal(meter.total(count), 5);
});

test('a pool that cannot be read is said once, fails nobody and hides no other', () => {
  const hostile: PoolKind<FakePool> = {
    read: () => {
      throw new Error('no such field');
    },
    name: () => {
      throw new Error('no such name');
    },
  };
  pools.track(opened(), kind);
  const unread = pools.track(opened(), { ...kind, read: hostile.read });
  const unnamed = pools.track(opened(), { ...kind, name: hostile.name });
  pools.track(opened(), kind);
  for (const tracked of [unread, unnamed]) {
    tracked.created(1);
    tracked.waited(1);
    tracked.used(1);
    tracked.timedOut();
  }
  assert.equal(meter.total(count, { 'db.client.connection.state': 'used' }), 2);
  assert.equal(meter.problems.length, 1);
  assert.match(meter.problems[0]!, /pool could not be read: no such/);
});

test('a pool that nobody holds any more is let go', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const track = (): WeakRef<FakePool> => {
    const pool = opened();
    pools.track(pool, kind);
    return new WeakRef(pool);
  };
  const pool = track();
  assert.deepEqual(names(), ['host:1/db']);
  for (let i = 0; i < 10 && pool.deref() !== undefined; i++) {
    await new Promise(resolve => setImmediate(resolve));
    collect();
  }
  assert.equal(pool.deref(), undefined);
  assert.deepEqual(names(), []);
});
