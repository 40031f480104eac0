import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LfuStore } from '../../../toolkit/cache/memory/lfu-store';
import { LruStore } from '../../../toolkit/cache/memory/lru-store';
import { sizeOf } from '../../../toolkit/cache/memory/size-of';
import type { Store, StoreLimits } from '../../../toolkit/cache/memory/store';

interface Boxed {
  readonly value: number;
}
type Make = (limits: StoreLimits, onEvict: () => void) => Store<Boxed>;
const stores: Readonly<Record<string, Make>> = {
  LRU: (limits, onEvict) => new LruStore<Boxed>(limits, onEvict),
  LFU: (limits, onEvict) => new LfuStore<Boxed>(limits, onEvict),
};

for (const [name, make] of Object.entries(stores)) {
  test(`${name}: whatever is done, it holds what was set last of each key, within its bounds, and counts what it let go`, () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const step = fc.record({
      do: fc.constantFrom('get', 'get', 'set', 'set', 'delete', 'peek'),
      key,
      size: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(10, 20, Infinity),
        (steps, maxEntries, maxBytes) => {
          let evicted = 0;
          const store = make({ maxEntries, maxBytes }, () => evicted++);
          const model = new Map<string, { value: number; size: number }>();
          let gone = 0;
          let value = 0;
          for (const { do: call, key, size } of steps) {
            const before = evicted;
            if (call === 'set') {
              value++;
              store.set(key, { value }, maxBytes === Infinity ? 0 : size);
              if (maxBytes !== Infinity && size > maxBytes) model.delete(key);
              else model.set(key, { value, size });
            } else if (call === 'delete') assert.equal(store.delete(key), model.delete(key));
            else {
              const found = call === 'get' ? store.get(key) : store.peek(key);
              assert.equal(found?.value, model.get(key)?.value);
            }
            // What was let go is known to the store alone.
            for (const key of [...model.keys()]) {
              if (store.peek(key) !== undefined) continue;
              model.delete(key);
              gone++;
            }
            if (call !== 'set') assert.equal(evicted, before);
            assert.equal(evicted, gone);
            assert.equal(store.count, model.size);
            assert.ok(store.count <= maxEntries);
            if (maxBytes !== Infinity) {
              const bytes = [...model.values()].reduce((sum, one) => sum + one.size, 0);
              assert.equal(store.bytes, bytes);
              assert.ok(bytes <= maxBytes);
            }
            assert.deepEqual(
              new Map([...store.entries()].map(([key, { value }]) => [key, value])),
              new Map([...model].map(([key, { value }]) => [key, value])),
            );
          }
          store.clear();
          assert.deepEqual([store.count, [...store.entries()]], [0, []]);
        },
      ),
    );
  });
}

/** What an LFU store does, done the slow way: by looking at every entry. */
class SlowLfu {
  readonly #entries = new Map<string, { uses: number; at: number }>();
  #at = 0;
  constructor(readonly max: number) {}
  has(key: string): boolean {
    return this.#entries.has(key);
  }
  use(key: string): void {
    const entry = this.#entries.get(key)!;
    entry.uses++;
    entry.at = ++this.#at;
  }
  add(key: string): void {
    if (this.#entries.size >= this.max) {
      const [victim] = [...this.#entries].sort(([, a], [, b]) => a.uses - b.uses || a.at - b.at)[0]!;
      this.#entries.delete(victim);
    }
    this.#entries.set(key, { uses: 1, at: ++this.#at });
  }
}

test('LFU: the one used least often goes, of those the one whose last use is longest ago', () => {
  const key = fc.constantFrom(...'abcdefgh');
  fc.assert(
    fc.property(fc.array(key, { maxLength: 40 }), keys => {
      const store = new LfuStore<number>({ maxEntries: 5, maxBytes: Infinity }, () => {});
      const slow = new SlowLfu(5);
      for (const key of keys) {
        assert.equal(store.peek(key) !== undefined, slow.has(key), key);
        if (store.get(key) !== undefined) slow.use(key);
        else {
          store.set(key, 1, 0);
          slow.add(key);
        }
      }
    }),
  );
});

test('LFU: what was popular once leaves when other keys are', () => {
  const store = new LfuStore<number>({ maxEntries: 10, maxBytes: Infinity }, () => {});
  const ask = (key: string): void => {
    if (store.get(key) === undefined) store.set(key, 1, 0);
  };
  for (let i = 0; i < 300; i++) ask('once popular');
  // Ten more, all as popular now.
  for (let i = 0; i < 5000; i++) for (let k = 0; k < 10; k++) ask(`now ${k}`);
  assert.equal(store.peek('once popular'), undefined);
});

test('LFU: where some keys are read far more than others and scans come between, it keeps them better than LRU', () => {
  const hitsOf = (store: Store<Boxed>): number => {
    let hits = 0;
    let scanned = 0;
    const ask = (key: string): void => {
      if (store.get(key) !== undefined) hits++;
      else store.set(key, { value: 1 }, 0);
    };
    for (let i = 0; i < 250; i++) ask(`hot ${i % 50}`);
    hits = 0;
    for (let i = 0; i < 20_000; i++) {
      ask(`hot ${i % 50}`);
      ask(`scan ${scanned++}`);
      ask(`scan ${scanned++}`);
    }
    return hits;
  };
  const limits = { maxEntries: 100, maxBytes: Infinity };
  assert.ok(hitsOf(new LruStore(limits, () => {})) < 100);
  assert.ok(hitsOf(new LfuStore(limits, () => {})) > 19_000);
});

test('a size is about what a value takes: more for more, and bytes for buffers', () => {
  assert.equal(sizeOf('abcd') - sizeOf(''), 8);
  assert.ok(sizeOf(Buffer.alloc(1000)) >= 1000 && sizeOf(Buffer.alloc(1000)) < 1100);
  assert.ok(sizeOf({ a: 'x'.repeat(500), b: [1, 2, 3] }) > 1000);
  assert.ok(sizeOf(new Map([['k', 'v'.repeat(100)]])) > 200);
  const loop: { self?: unknown } = {};
  loop.self = loop;
  assert.ok(sizeOf(loop) < 2000);
});
