// Prints what the works of one set cost, in nanoseconds by name. Run with and without the agent.
require('tsx/cjs');
const { measure } = require('../micro.ts');
const { channelWorks } = require('../toolkit/channel-works.ts');
const { workerPoolWorks } = require('../toolkit/worker-pool-works.ts');
const { lockWorks, poolWorks, queueWorks } = require('../toolkit/works.ts');

const sets = {
  pools: poolWorks,
  locks: () => ({ ...lockWorks(), ...queueWorks() }),
  channels: channelWorks,
  workers: workerPoolWorks,
};
measure(sets[process.argv[2]](), 6, 60).then(times => {
  console.log(JSON.stringify(times));
  process.exit(0);
});
