// Exercise 2 of the handbook: a system that runs tasks, sized by what there is to do, with priorities, time limits,
// figures and an orderly end. `node docs/examples/task-system.cjs` runs it and prints its figures; this file is also
// what the threads load. docs/toolkit/worker-pool.md explains it.
const { pbkdf2Sync } = require('node:crypto');
const { availableParallelism } = require('node:os');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { isMainThread } = require('node:worker_threads');

/** What the threads do: seals an invoice, which takes some milliseconds of computing. */
function seal(invoice) {
  return pbkdf2Sync(`invoice ${invoice}`, 'salt', 20_000, 32, 'sha256').toString('hex');
}
/** A task with a fault: it never ends. */
function stuck() {
  for (;;);
}
module.exports = Object.assign(seal, { stuck });

async function main() {
  const { WorkerPool } = require('otel-vitals/toolkit/worker-pool');
  const max = Math.max(2, availableParallelism());
  const pool = new WorkerPool({
    name: 'invoices',
    file: __filename,
    min: 1,
    max,
    idleMs: 250,
    maxQueue: 200,
    ageingMs: 2000,
    runTimeoutMs: 5000,
  });
  await pool.run(0);
  const sizes = [pool.status().workers];

  // What it is for: the event loop stays free while threads compute.
  const blocked = await delayOf(() => {
    for (let i = 0; i < 100; i++) seal(i);
  });
  const times = { urgent: [], background: [] };
  const timed = async (kind, invoice, priority) => {
    const begin = performance.now();
    await pool.run(invoice, { priority });
    times[kind].push(performance.now() - begin);
  };
  const free = await delayOf(async () => {
    const background = Array.from({ length: 90 }, (_, i) => timed('background', i, 0));
    const urgent = Array.from({ length: 10 }, (_, i) => timed('urgent', i, 5));
    await Promise.all([...background, ...urgent]);
  });
  sizes.push(pool.status().workers);

  // Limits: of running, after which the thread is ended and replaced; of waiting; and of how many wait.
  const codes = [];
  const refused = promise => promise.catch(({ code }) => codes.push(code));
  await refused(pool.run(0, { handler: 'stuck', runTimeoutMs: 100 }));
  const busy = Array.from({ length: max }, () => refused(pool.run(0, { handler: 'stuck', runTimeoutMs: 300 })));
  await refused(pool.run(1, { queueTimeoutMs: 50 }));
  await Promise.all(busy);
  const burst = Array.from({ length: 201 + max }, (_, i) => pool.run(i).catch(({ code }) => codes.push(code)));
  await Promise.all(burst);

  // Nothing to do: down to one thread again.
  while (pool.status().workers > 1) await sleep(50);
  sizes.push(pool.status().workers);

  // The end: what was accepted is done, or named.
  const last = ['paid', 'unpaid'].map(label => refused(pool.run(1, { label })));
  const hung = refused(pool.run(0, { handler: 'stuck', label: 'hung' }));
  const { lost } = await pool.close({ timeoutMs: 1000 });
  await Promise.all([...last, hung]);

  const { outcomes, rejected, waitTime, runTime } = pool.stats();
  const figures = {
    'threads: before, in and after the burst': sizes.join(', '),
    '100 invoices on the event loop: it stood still for': `${blocked.toFixed(0)} ms`,
    '100 invoices on threads: it stood still for': `${free.toFixed(0)} ms at most`,
    'time to the result, urgent (median)': `${median(times.urgent).toFixed(0)} ms`,
    'time to the result, background (median)': `${median(times.background).toFixed(0)} ms`,
    'mean wait, mean run': `${mean(waitTime)} ms, ${mean(runTime)} ms`,
    'completed, run timeout, queue timeout, dropped': [
      outcomes.completed,
      outcomes.run_timeout,
      outcomes.queue_timeout,
      outcomes.dropped,
    ].join(', '),
    'refused because the queue was full': rejected.full,
    'lost at the end': lost.map(({ label }) => label).join(', '),
    'errors by code': [...new Set(codes)].sort().join(', '),
  };
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(52)}${value}`);
}

const median = values => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const mean = ({ sum, count }) => ((sum / count) * 1000).toFixed(0);

/** The longest that the event loop stood still during `work`, in milliseconds. */
async function delayOf(work) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await sleep(20);
  await work();
  await sleep(20);
  delay.disable();
  return delay.max / 1e6 - 5;
}

if (isMainThread) main();
