import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import fc from 'fast-check';
import { ObjectPool, type PoolLeak, PoolRegistry } from '../../../toolkit/object-pool';
import { deferred } from '../../helpers/fake-redis';
import { collectUntil } from '../../helpers/garbage';
import { assertPoolLaws } from '../../helpers/pools';

interface Thing {
  value: number;
}

test('the object released last is handed out first', () => {
  const pool = new ObjectPool<Thing>({ name: 'p', create: () => ({ value: 0 }) });
  const [a, b] = [pool.acquire(), pool.acquire()];
  pool.release(a);
  pool.release(b);
  assert.equal(pool.acquire(), b);
  assert.equal(pool.acquire(), a);
});

test('an object is reset when it is released, before anybody else can have it', () => {
  const pool = new ObjectPool<Thing>({
    name: 'p',
    create: () => ({ value: 0 }),
    reset: thing => {
      thing.value = 0;
    },
  });
  const thing = pool.acquire();
  thing.value = 7;
  pool.release(thing);
  assert.equal(thing.value, 0);
});

test('an object that cannot be reset is destroyed, and its caller is spared', () => {
  const problems: unknown[] = [];
  const destroyed: Thing[] = [];
  const pool = new ObjectPool<Thing>({
    name: 'p',
    create: () => ({ value: 0 }),
    reset: () => {
      throw new RangeError('stuck');
    },
    destroy: thing => destroyed.push(thing),
    onError: error => problems.push(error),
  });
  const thing = pool.acquire();
  pool.release(thing);
  assert.deepEqual(destroyed, [thing]);
  assert.match(String(problems[0]), /stuck/);
  assert.equal(pool.stats().failures.reset, 1);
  assert.notEqual(pool.acquire(), thing);
  assertPoolLaws(pool.stats());
});

test('an idle object found broken is destroyed and the next one tried, down to making one', () => {
  const broken = new Set<Thing>();
  const pool = new ObjectPool<Thing>({
    name: 'p',
    create: () => ({ value: 0 }),
    validate: thing => {
      if (thing.value === 99) throw new Error('worse');
      return !broken.has(thing);
    },
  });
  const [a, b, c] = [pool.acquire(), pool.acquire(), pool.acquire()];
  for (const thing of [a, b, c]) pool.release(thing);
  broken.add(c);
  b.value = 99;
  assert.equal(pool.acquire(), a);
  const fresh = pool.acquire();
  assert.ok(![a, b, c].includes(fresh));
  const { destroyed, reused, failures } = pool.stats();
  assert.deepEqual([destroyed, reused, failures.validate], [2, 1, 2]);
  assertPoolLaws(pool.stats());
});

test('at its limit acquire throws, tryAcquire gives undefined, and a release makes room', () => {
  const pool = new ObjectPool<Thing>({ name: 'few', create: () => ({ value: 0 }), max: 2 });
  const [a] = [pool.acquire(), pool.acquire()];
  assert.throws(() => pool.acquire(), { code: 'POOL_EXHAUSTED', pool: 'few', max: 2 });
  assert.throws(() => pool.use(() => 1), { code: 'POOL_EXHAUSTED' });
  assert.equal(pool.tryAcquire(), undefined);
  assert.equal(pool.stats().failures.exhausted, 3);
  pool.release(a);
  assert.equal(pool.tryAcquire(), a);
  assert.equal(pool.stats().limit, 2);
});

test('no more than maxIdle objects are kept', () => {
  const pool = new ObjectPool<Thing>({ name: 'p', create: () => ({ value: 0 }), maxIdle: 1 });
  const things = [pool.acquire(), pool.acquire(), pool.acquire()];
  for (const thing of things) pool.release(thing);
  const { idle, destroyed } = pool.stats();
  assert.deepEqual([idle, destroyed], [1, 2]);
});

test('prefilling makes objects up to the limits, and they count as reuse', () => {
  const pool = new ObjectPool<Thing>({ name: 'p', create: () => ({ value: 0 }), max: 3 });
  pool.prefill(2);
  pool.prefill(10);
  assert.equal(pool.stats().idle, 3);
  pool.acquire();
  assert.deepEqual([pool.stats().created, pool.stats().reused], [3, 1]);
});

test('a discarded object is destroyed and makes room, and use allows its function to discard', () => {
  const pool = new ObjectPool<Thing>({ name: 'p', create: () => ({ value: 0 }), max: 1 });
  pool.use(thing => pool.discard(thing));
  const { released, destroyed, used } = pool.stats();
  assert.deepEqual([released, destroyed, used], [1, 1, 0]);
  pool.acquire();
});

test('what create throws reaches the caller and takes no place', () => {
  let fail = true;
  const pool = new ObjectPool<Thing>({
    name: 'p',
    max: 1,
    create: () => {
      if (fail) throw new RangeError('no memory');
      return { value: 1 };
    },
  });
  assert.throws(() => pool.acquire(), RangeError);
  fail = false;
  assert.equal(pool.acquire().value, 1);
  assert.equal(pool.stats().failures.create, 1);
  assertPoolLaws(pool.stats());
});

test('a create that gives no object, or one that it gave before, is refused', () => {
  const gives: unknown[] = [undefined, null, 5];
  const one = {};
  const pool = new ObjectPool<object>({
    name: 'p',
    create: () => (gives.length > 0 ? gives.shift() : one) as object,
  });
  assert.throws(() => pool.acquire(), { code: 'POOL_INVALID_OBJECT', got: 'undefined' });
  assert.throws(() => pool.acquire(), { code: 'POOL_INVALID_OBJECT', got: 'null' });
  assert.throws(() => pool.acquire(), { code: 'POOL_INVALID_OBJECT', got: 'number' });
  pool.acquire();
  assert.throws(() => pool.acquire(), { code: 'POOL_INVALID_OBJECT', got: 'one that it had given before' });
  assert.deepEqual([pool.stats().created, pool.stats().failures.create], [1, 4]);
});

test('a callback that fails while telling of a failure, or while destroying, breaks nothing', () => {
  const bad = (): never => {
    throw new Error('handler');
  };
  const pool = new ObjectPool<Thing>({
    name: 'p',
    create: () => ({ value: 0 }),
    reset: bad,
    destroy: bad,
    onError: bad,
  });
  pool.release(pool.acquire());
  assert.deepEqual([pool.stats().failures.reset, pool.stats().failures.destroy], [1, 1]);
  assertPoolLaws(pool.stats());
});

test('an object dropped while in use is collected, counted as leaked, and makes room', async () => {
  const pool = new ObjectPool<Thing>({ name: 'p', create: () => ({ value: 0 }), max: 2 });
  const kept = pool.acquire();
  (() => pool.acquire())();
  assert.equal(pool.tryAcquire(), undefined);
  await collectUntil(() => pool.stats().leaked === 1);
  assertPoolLaws(pool.stats());
  const again = pool.acquire();
  pool.release(kept);
  pool.release(again);
  assert.deepEqual([pool.stats().used, pool.stats().idle], [0, 2]);
});

test('an object destroyed by the pool does not count as leaked once it is collected', async () => {
  const pool = new ObjectPool<object>({ name: 'p', create: () => ({}), maxIdle: 0 });
  let collected = false;
  const watch = new FinalizationRegistry(() => {
    collected = true;
  });
  (() => {
    const object = pool.acquire();
    watch.register(object, undefined);
    pool.release(object);
  })();
  await collectUntil(() => collected);
  assert.deepEqual([pool.stats().leaked, pool.stats().destroyed], [0, 1]);
});

test('an object held too long is told of once, with the stack of its acquire, and published', async () => {
  const leaks: PoolLeak[] = [];
  const published: unknown[] = [];
  const listen = (message: unknown): void => void published.push(message);
  subscribe('otel-vitals:pool.leak', listen);
  let now = 1000;
  const told = deferred();
  const pool = new ObjectPool<Thing>({
    name: 'leaky',
    create: () => ({ value: 0 }),
    clock: () => now,
    leakDetection: {
      afterMs: 10,
      sampleEvery: 1,
      onLeak: leak => {
        leaks.push(leak);
        told.resolve();
      },
    },
  });
  const back = pool.acquire();
  function holdsForEver(): void {
    pool.acquire();
  }
  holdsForEver();
  pool.release(back);
  now += 50;
  // The pool's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await told.promise;
  clearInterval(alive);
  assert.equal(leaks.length, 1);
  assert.equal(leaks[0]!.pool, 'leaky');
  assert.equal(leaks[0]!.heldMs, 50);
  assert.match(leaks[0]!.stack, /^\s+at holdsForEver .*object-pool\.test\.ts/);
  assert.deepEqual(published, leaks);
  unsubscribe('otel-vitals:pool.leak', listen);
  pool.close();
});

test('use time is measured by the clock when asked for', () => {
  let now = 0;
  const pool = new ObjectPool<Thing>({
    name: 'p',
    create: () => ({ value: 0 }),
    timeUse: true,
    clock: () => now,
  });
  const thing = pool.acquire();
  now = 250;
  pool.release(thing);
  assert.deepEqual([pool.stats().useTime?.count, pool.stats().useTime?.sum], [1, 0.25]);
  assert.equal(new ObjectPool({ name: 'q', create: () => ({}) }).stats().useTime, undefined);
});

test('callbacks may come back to the pool, and the laws hold all the while', () => {
  const act = fc.constantFrom('acquire', 'release', 'clear', 'prefill', 'throw', 'nothing');
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 200 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 4 }),
      (acts, max, maxIdle) => {
        const out: object[] = [];
        let depth = 0;
        const next = (): void => {
          if (depth > 3) return;
          depth++;
          try {
            perform(acts.pop() ?? 'nothing');
          } finally {
            depth--;
          }
        };
        const made = new Set<object>();
        const gone = new Set<object>();
        const pool: ObjectPool<object> = new ObjectPool<object>({
          name: 'p',
          max,
          maxIdle,
          create: () => {
            next();
            const object = {};
            made.add(object);
            return object;
          },
          reset: next,
          validate: () => {
            next();
            return acts.length % 3 !== 0;
          },
          destroy: object => {
            assert.ok(!gone.has(object), 'destroyed twice');
            gone.add(object);
            next();
          },
        });
        const perform = (what: string): void => {
          if (what === 'acquire') {
            const object = pool.tryAcquire();
            if (object === undefined) return;
            assert.ok(!out.includes(object) && !gone.has(object));
            out.push(object);
          } else if (what === 'release' && out.length > 0) pool.release(out.pop()!);
          else if (what === 'clear') pool.clear();
          else if (what === 'prefill') pool.prefill(2);
          else if (what === 'throw') throw new Error('callback');
        };
        while (acts.length > 0) {
          try {
            perform(acts.pop()!);
          } catch (error) {
            assert.match(String(error), /callback/);
          }
          assertPoolLaws(pool.stats());
          assert.ok(made.size - gone.size <= max);
        }
        pool.close();
        for (const object of out.splice(0)) pool.release(object);
        const { idle, used, created, destroyed } = pool.stats();
        assert.deepEqual([idle, used, destroyed, gone.size], [0, 0, created, created]);
      },
    ),
  );
});

test('wrong options are refused, saying what was expected and what came', () => {
  const create = (): object => ({});
  const refused = (options: object, message: RegExp): void => {
    assert.throws(() => new ObjectPool({ name: 'p', create, ...options }), { name: 'TypeError', message });
  };
  refused({ name: '' }, /Expected name to be a string of at least one character, got /);
  refused({ create: undefined }, /Expected create to be a function, got undefined/);
  refused({ reset: 1 }, /Expected reset to be a function, got number/);
  refused({ validate: {} }, /Expected validate to be a function, got object/);
  refused({ max: 0 }, /Expected max to be an integer above zero, got 0/);
  refused({ maxIdle: -1 }, /Expected maxIdle to be an integer of zero or more, got -1/);
  refused({ leakDetection: { afterMs: 0 } }, /Expected afterMs to be milliseconds above 0/);
  refused(
    { leakDetection: { sampleEvery: 1.5 } },
    /Expected sampleEvery to be an integer above zero, got 1.5/,
  );
});

test('a registry gives, clears and closes pools by name, and refuses a name twice', async () => {
  const registry = new PoolRegistry();
  const a = registry.register(new ObjectPool({ name: 'a', create: () => ({}) }));
  registry.register(new ObjectPool({ name: 'b', create: () => ({}) }));
  assert.throws(() => registry.register(new ObjectPool({ name: 'a', create: () => ({}) })), {
    code: 'POOL_DUPLICATE',
    pool: 'a',
  });
  assert.equal(registry.get('a'), a);
  assert.equal(registry.get('none'), undefined);
  a.release(a.acquire());
  assert.deepEqual([registry.names(), registry.stats()['a']?.idle], [['a', 'b'], 1]);
  registry.clearAll();
  assert.equal(registry.stats()['a']?.idle, 0);
  assert.equal(registry.unregister('b'), true);
  await registry.closeAll();
  assert.throws(() => a.acquire(), { code: 'POOL_CLOSED' });
  assert.deepEqual(registry.names(), []);
});

test('use gives back only what it still has, and not what another has by then', async () => {
  const pool = new ObjectPool({ name: 'p', create: () => ({}) });
  let other: object | undefined;
  const passOn = (object: object): void => {
    pool.release(object);
    other = pool.acquire();
    assert.equal(other, object);
  };
  pool.use(passOn);
  assert.equal(pool.stats().used, 1, 'it was taken from its new holder');
  pool.release(other!);
  await pool.use(async object => passOn(object));
  assert.equal(pool.stats().used, 1);
  pool.release(other!);
  assertPoolLaws(pool.stats());
});
