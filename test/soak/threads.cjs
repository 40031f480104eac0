// The other side: what the threads of the soak run.
const { LockFreeQueue, SpinLock } = require('otel-vitals/toolkit/lock');

let queue;
let lock;
module.exports = Object.assign(value => value * 2, {
  fail() {
    throw new Error('on purpose');
  },
  exit: code => process.exit(code),
  spin() {
    for (;;);
  },
  /** Takes numbers out of a queue and gives their sum; counts each under a lock. */
  take({ shared, lock: sharedLock, counter, count }) {
    queue ??= new LockFreeQueue(shared);
    lock ??= new SpinLock(sharedLock);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += queue.dequeueSync({ timeoutMs: 60_000 });
      const held = lock.lock({ timeoutMs: 60_000 });
      counter[0] += 1;
      held.release();
    }
    return sum;
  },
});
