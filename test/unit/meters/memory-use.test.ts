import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryUse, residentMemory } from '../../../instrumentation/meters/memory-use';

test('without a file descriptor left, what V8 knows is said, and the rest as it last was', t => {
  const before = memoryUse();
  assert.ok(before.rss > 1e6 && before.heapUsed > 1e5, JSON.stringify(before));
  const fails = (): never => {
    throw Object.assign(new Error('EMFILE: too many open files, uv_resident_set_memory'), { code: 'EMFILE' });
  };
  const { memoryUsage } = process;
  const restore = (): void => {
    process.memoryUsage = memoryUsage;
  };
  t.after(restore);
  process.memoryUsage = Object.assign(fails, { rss: fails });
  const kept = Array.from({ length: 200_000 }, (_, i) => ({ i }));
  const after = memoryUse();
  assert.equal(after.rss, before.rss);
  assert.equal(after.arrayBuffers, before.arrayBuffers);
  assert.ok(after.heapUsed > before.heapUsed + kept.length, JSON.stringify([before, after]));
  assert.equal(residentMemory(), before.rss);
  restore();
  assert.ok(residentMemory() >= before.rss / 2);
});
