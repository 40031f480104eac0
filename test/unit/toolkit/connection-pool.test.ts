import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionPool } from '../../../toolkit/object-pool';
import { deferred } from '../../helpers/fake-redis';
import { assertPoolLaws } from '../../helpers/pools';

interface Connection {
  readonly id: number;
}

const turns = async (n = 5): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise(resolve => setImmediate(resolve));
};
const pending = (): Promise<never> => new Promise(() => {});

/** A factory that numbers its connections and notes those destroyed. */
function factory() {
  const destroyed: number[] = [];
  let made = 0;
  return {
    destroyed,
    made: () => made,
    create: async (): Promise<Connection> => ({ id: ++made }),
    destroy: ({ id }: Connection): void => void destroyed.push(id),
  };
}

test('connections are opened as needed, up to maxActive, and given in the order of asking', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 2 });
  const order: number[] = [];
  const waits = [1, 2, 3, 4, 5].map(async n => {
    const connection = await pool.acquire();
    order.push(n);
    return connection;
  });
  const [a, b] = await Promise.all(waits.slice(0, 2));
  await turns();
  assert.deepEqual([order, f.made(), pool.stats().pending], [[1, 2], 2, 3]);
  pool.release(a!);
  pool.release(b!);
  assert.equal(await waits[2], a);
  assert.equal(await waits[3], b);
  assert.deepEqual(order, [1, 2, 3, 4]);
  pool.release(a!);
  await waits[4];
  assert.deepEqual([order, f.made(), pool.stats().pending], [[1, 2, 3, 4, 5], 2, 0]);
  const { acquired, reused, waitTime } = pool.stats();
  assert.deepEqual([acquired, reused, waitTime?.count], [5, 3, 5]);
  assertPoolLaws(pool.stats());
});

test('one who comes while others wait does not overtake them', async () => {
  const pool = new ConnectionPool({ name: 'db', ...factory(), maxActive: 1 });
  const connection = await pool.acquire();
  const order: string[] = [];
  const ask = async (who: string): Promise<Connection> => {
    const one = await pool.acquire();
    order.push(who);
    return one;
  };
  const first = ask('first');
  pool.release(connection);
  const second = ask('second');
  pool.release(await first);
  await second;
  assert.deepEqual(order, ['first', 'second']);
});

test('who waits too long gets an AcquireTimeoutError, and the place goes to the next', async () => {
  const pool = new ConnectionPool({ name: 'db', ...factory(), maxActive: 1, acquireTimeoutMs: 20 });
  const connection = await pool.acquire();
  await assert.rejects(pool.acquire(), { code: 'POOL_ACQUIRE_TIMEOUT', pool: 'db', timeoutMs: 20 });
  pool.release(connection);
  assert.equal(await pool.acquire(), connection);
  assert.deepEqual([pool.stats().failures.timeout, pool.stats().pending], [1, 0]);
  assertPoolLaws(pool.stats());
});

test('an aborted wait ends with its reason as the cause, and loses no connection', async () => {
  const pool = new ConnectionPool({ name: 'db', ...factory(), maxActive: 1 });
  const connection = await pool.acquire();
  const controller = new AbortController();
  const aborted = pool.acquire({ signal: controller.signal });
  const next = pool.acquire();
  controller.abort(new RangeError('shutting down'));
  await assert.rejects(
    aborted,
    (error: Error & { code?: string }) =>
      error.code === 'POOL_ACQUIRE_ABORTED' && error.cause instanceof RangeError,
  );
  await assert.rejects(pool.acquire({ signal: controller.signal }), { code: 'POOL_ACQUIRE_ABORTED' });
  pool.release(connection);
  assert.equal(await next, connection);
  assert.deepEqual([pool.stats().failures.aborted, pool.stats().pending], [2, 0]);
});

test('an abort in the turn in which the connection comes strands nobody', async () => {
  for (const ping of [undefined, () => true, async () => true]) {
    const pool = new ConnectionPool({
      name: 'db',
      ...factory(),
      maxActive: 1,
      ...(ping && { ping }),
    });
    const connection = await pool.acquire();
    const controller = new AbortController();
    const aborted = pool.acquire({ signal: controller.signal });
    const next = pool.acquire();
    pool.release(connection);
    controller.abort();
    // Whichever came first holds; whoever is left must get one as well.
    await aborted.then(
      one => pool.release(one),
      error => assert.equal(error.code, 'POOL_ACQUIRE_ABORTED'),
    );
    pool.release(await next);
    await turns();
    assertPoolLaws(pool.stats());
    assert.equal(pool.stats().pending, 0);
  }
});

test('a connection given back in the turn of an abort goes to the next who waits', async () => {
  const pool = new ConnectionPool({ name: 'db', ...factory(), maxActive: 1 });
  const connection = await pool.acquire();
  const controller = new AbortController();
  const aborted = assert.rejects(pool.acquire({ signal: controller.signal }));
  const next = pool.acquire();
  controller.abort();
  pool.release(connection);
  await aborted;
  assert.equal(await next, connection);
  assertPoolLaws(pool.stats());
});

test('no signal keeps a listener once the wait is over', async () => {
  const pool = new ConnectionPool({ name: 'db', ...factory(), maxActive: 1 });
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  for (let i = 0; i < 3; i++) pool.release(await pool.acquire({ signal }));
  assert.equal(listeners, 0);
});

test('past maxPending a caller is refused at once', async () => {
  const pool = new ConnectionPool({ name: 'db', ...factory(), maxActive: 1, maxPending: 1 });
  const connection = await pool.acquire();
  const waiting = pool.acquire();
  await assert.rejects(pool.acquire(), { code: 'POOL_QUEUE_FULL', maxPending: 1 });
  pool.release(connection);
  await waiting;
  assert.equal(pool.stats().failures.exhausted, 1);
});

test('a connection that fails its ping, by any answer or by none, is closed and another given', async () => {
  const answers: (() => unknown)[] = [
    () => false,
    async () => false,
    () => {
      throw new Error('dead');
    },
    async () => {
      throw new Error('dead');
    },
    pending,
  ];
  for (const answer of answers) {
    const f = factory();
    const pool = new ConnectionPool<Connection>({
      name: 'db',
      ...f,
      maxActive: 1,
      ping: answer,
      pingTimeoutMs: 10,
    });
    const first = await pool.acquire();
    pool.release(first);
    const second = await pool.acquire();
    assert.deepEqual([second.id, f.destroyed], [2, [1]]);
    assert.equal(pool.stats().failures.validate, 1);
    pool.release(second);
    assertPoolLaws(pool.stats());
  }
});

test('a connection is pinged before each use but its first, or only after it was idle long enough', async () => {
  let now = 0;
  let pings = 0;
  const ping = (): void => void pings++;
  const uses = async (pingAfterIdleMs: number): Promise<number> => {
    pings = 0;
    const pool = new ConnectionPool({ name: 'db', ...factory(), ping, pingAfterIdleMs, clock: () => now });
    for (const idle of [0, 10, 1000]) {
      now += idle;
      pool.release(await pool.acquire());
    }
    return pings;
  };
  assert.equal(await uses(0), 2);
  assert.equal(await uses(500), 1);
});

test('what create throws, rejects with, or gives instead of a connection fails its caller at once', async () => {
  const problems = new Map<string, () => unknown>([
    [
      'refused',
      () => {
        throw new Error('refused');
      },
    ],
    ['reset', () => Promise.reject(new Error('reset'))],
    ['got undefined', () => undefined],
    ['within 10 ms', pending],
  ]);
  for (const [message, create] of problems) {
    const pool = new ConnectionPool<object>({
      name: 'db',
      create: create as () => object,
      createTimeoutMs: 10,
    });
    await assert.rejects(pool.acquire(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'POOL_CREATE_FAILED');
      assert.match(error.message, new RegExp(message));
      return error.cause instanceof Error;
    });
    assert.deepEqual([pool.stats().failures.create, pool.stats().created, pool.stats().pending], [1, 0, 0]);
  }
});

test('when several creations fail at once, each fails a caller of its own', async () => {
  let down = true;
  const f = factory();
  const pool = new ConnectionPool<Connection>({
    name: 'db',
    ...f,
    maxActive: 3,
    create: async () => {
      if (down) throw new Error('down');
      return f.create();
    },
  });
  const outcomes = await Promise.allSettled(Array.from({ length: 7 }, () => pool.acquire()));
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  assert.equal(pool.stats().failures.create, 7);
  down = false;
  assert.equal((await pool.acquire()).id, 1);
});

test('a connection that comes after its time is closed and not used', async () => {
  const slow = deferred<Connection>();
  const f = factory();
  let calls = 0;
  const pool = new ConnectionPool<Connection>({
    name: 'db',
    ...f,
    create: () => (++calls === 1 ? slow.promise : f.create()),
    createTimeoutMs: 10,
  });
  await assert.rejects(pool.acquire(), { code: 'POOL_CREATE_FAILED' });
  slow.resolve({ id: 77 });
  await turns();
  assert.deepEqual(f.destroyed, [77]);
  assert.equal((await pool.acquire()).id, 1);
  assertPoolLaws(pool.stats());
});

test('a discarded connection is closed, and its place is free for one who waits', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 1 });
  const connection = await pool.acquire();
  const waiting = pool.acquire();
  pool.discard(connection);
  assert.equal((await waiting).id, 2);
  assert.deepEqual(f.destroyed, [1]);
  assert.throws(() => pool.discard(connection), { code: 'POOL_DOUBLE_RELEASE' });
  assertPoolLaws(pool.stats());
});

test('a connection that dies idle is closed at once, one that dies in use when it is given back', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 2 });
  const [a, b] = [await pool.acquire(), await pool.acquire()];
  pool.release(a);
  pool.invalidate(a);
  await turns();
  assert.deepEqual([f.destroyed, pool.stats().idle], [[1], 0]);
  pool.invalidate(b);
  pool.invalidate(b);
  await turns();
  assert.deepEqual([f.destroyed, pool.stats().used], [[1], 1]);
  pool.release(b);
  await turns();
  assert.deepEqual(f.destroyed, [1, 2]);
  pool.invalidate(a);
  pool.invalidate({ id: 9 });
  assertPoolLaws(pool.stats());
});

test('a connection that dies while it is pinged is not handed out', async () => {
  const f = factory();
  const ping = deferred<boolean>();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 1, ping: () => ping.promise });
  const first = await pool.acquire();
  pool.release(first);
  const again = pool.acquire();
  pool.invalidate(first);
  ping.resolve(true);
  assert.equal((await again).id, 2);
  assert.deepEqual(f.destroyed, [1]);
});

test('past maxIdle the connection idle for longest is closed', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 3, maxIdle: 2 });
  const all = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
  for (const connection of [all[1]!, all[0]!, all[2]!]) pool.release(connection);
  await turns();
  assert.deepEqual([f.destroyed, pool.stats().idle], [[2], 2]);
});

test('an idle connection is closed after its time, and minIdle stay', async () => {
  const f = factory();
  const gone = deferred();
  const pool = new ConnectionPool({
    name: 'db',
    ...f,
    maxActive: 3,
    minIdle: 1,
    idleTimeoutMs: 10,
    destroy: connection => {
      f.destroy(connection);
      if (f.destroyed.length === 2) gone.resolve();
    },
  });
  const all = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
  for (const connection of all) pool.release(connection);
  // The pool's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await gone.promise;
  clearInterval(alive);
  assert.equal(pool.stats().idle, 1);
  await pool.close();
});

test('closing fails those who wait, waits for those in use, and closes every connection once', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 2 });
  const [a, b] = [await pool.acquire(), await pool.acquire()];
  const waiting = pool.acquire();
  pool.release(a);
  const got = await waiting;
  const last = pool.acquire();
  let closed = false;
  const closing = pool.close().then(result => {
    closed = true;
    return result;
  });
  await assert.rejects(last, { code: 'POOL_CLOSED' });
  await turns();
  assert.equal(closed, false);
  pool.release(got);
  pool.release(b);
  assert.deepEqual(await closing, { forced: 0 });
  assert.deepEqual(f.destroyed.sort(), [1, 2]);
  assert.deepEqual(await pool.close(), { forced: 0 });
  assertPoolLaws(pool.stats());
});

test('what is not given back in time is closed under its user, who may still give it back', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f });
  const connection = await pool.acquire();
  assert.deepEqual(await pool.close({ timeoutMs: 10 }), { forced: 1 });
  assert.deepEqual(f.destroyed, [1]);
  pool.release(connection);
  pool.discard(connection);
  assert.deepEqual(f.destroyed, [1]);
  assertPoolLaws(pool.stats());
});

test('closing ends although create, ping and destroy hang', async () => {
  const options = { destroyTimeoutMs: 10, pingTimeoutMs: 10 };
  const creating = new ConnectionPool<Connection>({ name: 'db', create: pending });
  const never = creating.acquire();
  const closed = creating.close({ timeoutMs: 10_000 });
  await assert.rejects(never, { code: 'POOL_CLOSED' });
  await closed;

  const problems: unknown[] = [];
  const pool = new ConnectionPool<Connection>({
    name: 'db',
    ...factory(),
    ...options,
    ping: pending,
    destroy: pending,
    onError: error => problems.push((error as { code?: string }).code),
  });
  pool.release(await pool.acquire());
  const waiting = pool.acquire();
  await Promise.all([assert.rejects(waiting, { code: 'POOL_CLOSED' }), pool.close({ timeoutMs: 10 })]);
  assert.ok(problems.includes('POOL_CALLBACK_TIMEOUT'));
  assertPoolLaws(pool.stats());
});

test('a failing destroy is told of and frees the place all the same', async () => {
  const problems: unknown[] = [];
  const pool = new ConnectionPool<Connection>({
    name: 'db',
    ...factory(),
    maxActive: 1,
    destroy: async () => {
      throw new Error('already gone');
    },
    onError: error => problems.push(error),
  });
  pool.discard(await pool.acquire());
  assert.equal((await pool.acquire()).id, 2);
  assert.match(String(problems[0]), /already gone/);
  assert.equal(pool.stats().failures.destroy, 1);
});

test('use gives the connection back however its function ends, and allows it to discard', async () => {
  const f = factory();
  const pool = new ConnectionPool({ name: 'db', ...f, maxActive: 1 });
  assert.equal(await pool.use(async ({ id }) => id), 1);
  await assert.rejects(
    pool.use(() => {
      throw new RangeError('query');
    }),
    RangeError,
  );
  await pool.use(connection => pool.discard(connection));
  assert.equal(pool.stats().used, 0);
  assert.equal(await pool.use(({ id }) => id), 2);
  assertPoolLaws(pool.stats());
});

test('wrong options are refused, saying what was expected and what came', () => {
  const refused = (options: object, message: RegExp): void => {
    assert.throws(() => new ConnectionPool({ name: 'db', ...factory(), ...options }), {
      name: 'TypeError',
      message,
    });
  };
  refused({ maxActive: 0 }, /Expected maxActive to be an integer above zero, got 0/);
  refused({ minIdle: 11 }, /Expected minIdle to be at most maxIdle and maxActive, got 11/);
  refused({ acquireTimeoutMs: 2 ** 31 }, /Expected acquireTimeoutMs to be milliseconds above 0/);
  refused({ maxPending: -1 }, /Expected maxPending to be an integer of zero or more, got -1/);
  refused({ pingAfterIdleMs: -1 }, /Expected pingAfterIdleMs to be milliseconds above 0/);
  refused({ ping: true }, /Expected ping to be a function, got boolean/);
});

test('a connection held for too long is reported with the call that asked for it, also where that waited', async () => {
  const stacks: string[] = [];
  const told = deferred();
  const pool = new ConnectionPool({
    name: 'db',
    ...factory(),
    maxActive: 1,
    leakDetection: {
      afterMs: 20,
      sampleEvery: 1,
      onLeak({ stack }) {
        stacks.push(stack);
        if (stacks.length === 2) told.resolve();
      },
    },
  });
  async function opensAndKeeps(): Promise<Connection> {
    return await pool.acquire();
  }
  async function waitsAndKeeps(): Promise<Connection> {
    return await pool.acquire();
  }
  const first = await opensAndKeeps();
  const second = waitsAndKeeps();
  // The pool's own timer keeps no process alive.
  const alive = setInterval(() => {
    if (stacks.length === 1 && pool.stats().pending === 1) pool.release(first);
  }, 5);
  await told.promise;
  clearInterval(alive);
  assert.match(stacks[0]!, /^\s+at opensAndKeeps .*connection-pool\.test\.ts/);
  assert.match(stacks[1]!, /^\s+at waitsAndKeeps .*connection-pool\.test\.ts/);
  pool.release(await second);
  assertPoolLaws(pool.stats());
  await pool.close();
});

test('the longest limits of time that are allowed are limits, and not none', async () => {
  const f = factory();
  const longest = 2 ** 31 - 1;
  const pool = new ConnectionPool({
    name: 'db',
    ...f,
    create: async () => {
      await turns(3);
      return f.create();
    },
    async destroy(connection: Connection) {
      await turns(3);
      f.destroy(connection);
    },
    acquireTimeoutMs: longest,
    createTimeoutMs: longest,
    destroyTimeoutMs: longest,
  });
  pool.release(await pool.acquire());
  assert.equal(f.made(), 1);
  await pool.close();
  assert.deepEqual(f.destroyed, [1]);
});
