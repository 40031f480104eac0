// The handbook's three leaks, as Node.js has them, and the same without.
//   node bench/labs/code/leaks.cjs loop before      serves made-up requests, to be watched; or slice, timer; or after
// docs/labs/leaks.md has the leak detector find them.
const { setTimeout: sleep } = require('node:timers/promises');

/** A request's loop that nothing ends: what it refers to lives as long. */
const loop = {
  before(id) {
    const order = makeOrder(id);
    setInterval(() => refresh(order), 1000).unref();
    return order;
  },
  after(id) {
    const order = makeOrder(id);
    const timer = setInterval(() => refresh(order), 1000).unref();
    // When the request is over.
    setImmediate(() => clearInterval(timer));
    return order;
  },
};

const names = new Map();
/** A few bytes cut out of a message keep all of it. */
const slice = {
  before(id) {
    const message = receive(id);
    names.set(id, message.subarray(0, 16));
  },
  after(id) {
    const message = receive(id);
    names.set(id, Buffer.from(message.subarray(0, 16)));
  },
};

/** The time limit of a call that has long been answered. */
const timer = {
  before(id) {
    const order = makeOrder(id);
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`order ${order.id} is late`)), 3_600_000).unref();
    });
    return Promise.race([answer(order), late]);
  },
  async after(id) {
    const order = makeOrder(id);
    let limit;
    const late = new Promise((_, reject) => {
      limit = setTimeout(() => reject(new Error(`order ${order.id} is late`)), 3_600_000).unref();
    });
    try {
      return await Promise.race([answer(order), late]);
    } finally {
      clearTimeout(limit);
    }
  },
};

function makeOrder(id) {
  return {
    id,
    lines: Array.from({ length: 50 }, (_, line) => ({ line, note: `line ${line} of order ${id}` })),
  };
}
const refresh = order => order.lines.length;
const receive = id => Buffer.alloc(16_384, `order ${id}`);
const answer = async order => order.id;

module.exports = { loop, slice, timer };

async function main() {
  const [, , leak, way] = process.argv;
  const handle = { loop, slice, timer }[leak]?.[way];
  if (handle === undefined) {
    throw new TypeError(`Expected loop, slice or timer and before or after, got "${leak}" and "${way}"`);
  }
  console.log(`serving ${leak} ${way}, process ${process.pid}`);
  for (let id = 0; ; id++) {
    await handle(id);
    await sleep(2);
  }
}

if (require.main === module) void main();
