// Exercise 1 of the handbook: a function that does everything the expensive way, and the same done well.
//   node bench/labs/code/inefficient-function.cjs before      runs it again and again, to be profiled; or `after`
// docs/labs/inefficient-function.md finds what is wrong with it.
const { setImmediate: turn } = require('node:timers/promises');

/** Copies all that there is for each item that comes. */
function collectItems(count) {
  let items = [];
  for (let i = 0; i < count; i++) items = [...items, `item_${i}`];
  return items;
}

/** Adds to a text, and looks at all of it each time. */
function joinItems(items, mostBytes) {
  let joined = '';
  for (const item of items) {
    joined += `${item},`;
    if (Buffer.byteLength(joined) > mostBytes) throw new RangeError(`Expected at most ${mostBytes} bytes`);
  }
  return joined;
}

/** Looks for each item from the beginning. */
function indexItems(items) {
  const index = {};
  for (const item of items) index[item] = items.indexOf(item);
  return index;
}

function before(count) {
  const items = collectItems(count);
  const joined = joinItems(items, 2 ** 24);
  const index = indexItems(items);
  return { joined, indexOf: item => index[item] };
}

function after(count) {
  const items = Array.from({ length: count }, (_, i) => `item_${i}`);
  const joined = `${items.join(',')},`;
  const bytes = Buffer.byteLength(joined);
  if (bytes > 2 ** 24) throw new RangeError(`Expected at most ${2 ** 24} bytes, got ${bytes}`);
  const index = new Map(items.map((item, i) => [item, i]));
  return { joined, indexOf: item => index.get(item) };
}

module.exports = { before, after, items: 10_000 };

async function main() {
  const run = { before, after }[process.argv[2]];
  if (run === undefined) throw new TypeError(`Expected "before" or "after", got "${process.argv[2]}"`);
  console.log(`running ${run.name}, process ${process.pid}`);
  for (;;) {
    run(module.exports.items);
    await turn();
  }
}

if (require.main === module) void main();
