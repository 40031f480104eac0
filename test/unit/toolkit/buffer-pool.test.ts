import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BufferPool, HttpResponsePool } from '../../../toolkit/object-pool';
import { assertPoolLaws } from '../../helpers/pools';

test('a buffer has the length of the least size class that holds what was asked for', () => {
  const pool = new BufferPool({ name: 'b', minSize: 100, maxSize: 1000 });
  const length = (size: number): number => pool.acquire(size).length;
  assert.deepEqual([0, 1, 128, 129, 256, 257, 1024].map(length), [128, 128, 128, 256, 256, 512, 1024]);
});

test('a buffer of one class is not handed out for another', () => {
  const pool = new BufferPool({ name: 'b', minSize: 16 });
  const small = pool.acquire(16);
  pool.release(small);
  assert.notEqual(pool.acquire(17), small);
  assert.equal(pool.acquire(3), small);
});

test('a buffer above the largest class is made as large as asked and never kept', () => {
  const pool = new BufferPool({ name: 'b', maxSize: 1024 });
  const large = pool.acquire(5000);
  assert.equal(large.length, 5000);
  pool.release(large);
  const { idle, destroyed, memory } = pool.stats();
  assert.deepEqual([idle, destroyed, memory], [0, 1, { idle: 0, used: 0 }]);
});

test("each buffer has memory of its own, not a part of Node's shared slab", () => {
  const pool = new BufferPool({ name: 'b', minSize: 16 });
  for (const size of [1, 16, 100]) {
    const { buffer, byteOffset, length } = pool.acquire(size);
    assert.deepEqual([byteOffset, buffer.byteLength], [0, length]);
  }
});

test('no more than maxIdleBytes are kept, over all classes', () => {
  const pool = new BufferPool({ name: 'b', minSize: 64, maxIdleBytes: 200 });
  const buffers = [pool.acquire(128), pool.acquire(64), pool.acquire(64)];
  assert.deepEqual(pool.stats().memory, { idle: 0, used: 256 });
  for (const buffer of buffers) pool.release(buffer);
  const { memory, idle, destroyed } = pool.stats();
  assert.deepEqual([memory, idle, destroyed], [{ idle: 192, used: 0 }, 2, 1]);
});

test('what was in a buffer stays unless zeroing is asked for, on acquire, on release, or for one call', () => {
  const contents = (zero: 'never' | 'acquire' | 'release', options?: { zero: boolean }): number[] => {
    const pool = new BufferPool({ name: 'b', zero });
    const buffer = pool.acquire(10);
    buffer.fill(7);
    pool.release(buffer);
    const idle = buffer[0]!;
    return [idle, pool.acquire(10, options)[0]!];
  };
  assert.deepEqual(contents('never'), [7, 7]);
  assert.deepEqual(contents('never', { zero: true }), [7, 0]);
  assert.deepEqual(contents('acquire'), [7, 0]);
  assert.deepEqual(contents('acquire', { zero: false }), [7, 7]);
  assert.deepEqual(contents('release'), [0, 0]);
});

test('a part of a buffer is not the buffer', () => {
  const pool = new BufferPool({ name: 'b' });
  const buffer = pool.acquire(10);
  assert.throws(() => pool.release(buffer.subarray(0, 10)), { code: 'POOL_FOREIGN_OBJECT' });
  pool.release(buffer);
});

test('a size that no buffer can have is refused and counted, and wrong options too', () => {
  const pool = new BufferPool({ name: 'b' });
  assert.throws(() => pool.acquire(-1), /Expected size to be an integer of zero or more, got -1/);
  assert.throws(() => pool.acquire(2 ** 53 - 1), { name: 'RangeError' });
  assert.equal(pool.stats().failures.create, 1);
  assertPoolLaws(pool.stats());
  assert.throws(
    () => new BufferPool({ name: 'b', minSize: 2048, maxSize: 1024 }),
    /Expected minSize to be at most maxSize \(1024\), got 2048/,
  );
  assert.throws(() => new BufferPool({ name: 'b', maxSize: 2 ** 31 }), /Expected maxSize to be at most/);
  assert.throws(
    () => new BufferPool({ name: 'b', zero: 'sometimes' as 'never' }),
    /Expected zero to be never, acquire or release, got sometimes/,
  );
});

test('memory in use and idle is right after any use', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.nat(5000), release: fc.nat() }), { maxLength: 60 }),
      fc.nat(20_000),
      (steps, maxIdleBytes) => {
        const pool = new BufferPool({ name: 'b', minSize: 64, maxSize: 2048, maxIdleBytes });
        const out: Buffer[] = [];
        for (const { size, release } of steps) {
          out.push(pool.acquire(size));
          if (release % 2 === 0) pool.release(out.splice(release % out.length, 1)[0]!);
          const { memory } = pool.stats();
          assert.equal(
            memory?.used,
            out.reduce((sum, { length }) => sum + length, 0),
          );
          assert.ok(memory.idle >= 0 && memory.idle <= maxIdleBytes);
          assertPoolLaws(pool.stats());
        }
        for (const buffer of out) pool.release(buffer);
        pool.clear();
        assert.deepEqual(pool.stats().memory, { idle: 0, used: 0 });
      },
    ),
  );
});

test('a response is empty when it is handed out again', () => {
  const pool = new HttpResponsePool({ name: 'h' });
  const response = pool.acquire();
  assert.ok(Math.abs(Date.now() - response.timestamp) < 60_000);
  response.statusCode = 404;
  response.headers.set('x', 'y');
  response.write('no such ').write(Buffer.from('thing ')).write('€');
  assert.equal(response.body.toString(), 'no such thing €');
  pool.release(response);
  const again = pool.acquire();
  assert.equal(again, response);
  assert.deepEqual([again.statusCode, again.headers.size, again.body.length], [200, 0, 0]);
});

test('a body grows as needed, keeps its memory up to maxBodyBytes, and gives it up beyond', () => {
  const pool = new HttpResponsePool({ name: 'h', initialBodyBytes: 16, maxBodyBytes: 64 });
  const response = pool.acquire();
  response.write('x'.repeat(10)).write('y'.repeat(30));
  assert.equal(response.body.toString(), `${'x'.repeat(10)}${'y'.repeat(30)}`);
  assert.equal(response.capacity, 40);
  pool.release(response);
  assert.equal(pool.acquire().capacity, 40);
  response.write(Buffer.alloc(65));
  assert.ok(response.capacity >= 65);
  pool.release(response);
  assert.equal(response.capacity, 16);
  assert.throws(
    () => new HttpResponsePool({ name: 'h', initialBodyBytes: 100, maxBodyBytes: 10 }),
    /Expected initialBodyBytes to be at most maxBodyBytes \(10\), got 100/,
  );
});

test('a buffer whose memory was transferred is let go, when it is released and when it was idle', () => {
  for (const zero of ['never', 'release'] as const) {
    const pool = new BufferPool({ name: 'b', zero });
    const transfer = ({ buffer }: Buffer): void =>
      void structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    const [sent, kept, other] = [pool.acquire(1000), pool.acquire(1000), pool.acquire(1000)];
    transfer(sent);
    pool.release(sent);
    assert.deepEqual([pool.stats().idle, pool.stats().destroyed], [0, 1]);
    pool.release(other);
    pool.release(kept);
    transfer(kept);
    assert.equal(pool.acquire(1000), other);
    assert.equal(pool.acquire(1000).length, 1024);
    const { destroyed, created, memory } = pool.stats();
    assert.deepEqual([destroyed, created, memory], [2, 4, { idle: 0, used: 2048 }]);
    assertPoolLaws(pool.stats());
  }
});
