// Prints what the works of one set cost, in nanoseconds by name. Run with and without the agent.
require('tsx/cjs');
const { measure } = require('../micro.ts');
const works = require('../toolkit/works.ts');

const set = process.argv[2] === 'pools' ? works.poolWorks() : works.lockWorks();
measure(set, 10).then(times => {
  console.log(JSON.stringify(times));
  process.exit(0);
});
