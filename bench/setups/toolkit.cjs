// Prints what the works of one set cost, in nanoseconds by name. Run with and without the agent.
require('tsx/cjs');
const { measure } = require('../micro.ts');
const { memoryCacheWorks } = require('../toolkit/cache-works.ts');
const { channelWorks } = require('../toolkit/channel-works.ts');
const { workerPoolWorks } = require('../toolkit/worker-pool-works.ts');
const { lockWorks, poolWorks, queueWorks } = require('../toolkit/works.ts');

const sets = {
  pools: poolWorks,
  locks: () => ({ ...lockWorks(), ...queueWorks() }),
  channels: channelWorks,
  workers: workerPoolWorks,
  caches: memoryCacheWorks,
};
Promise.resolve(sets[process.argv[2]]())
  .then(works => measure(works, 6, 60))
  .then(times => {
    console.log(JSON.stringify(times));
    process.exit(0);
  });
