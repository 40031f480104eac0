// What the threads of the worker pools under measurement run.
let sum = 0;
module.exports = n => {
  sum += n;
  return sum;
};
/** A millisecond of computing or so. */
module.exports.compute = n => {
  let value = n;
  for (let i = 0; i < 100_000; i++) value = (value * 1_103_515_245 + 12_345) % 2_147_483_648;
  return value;
};
