// Soaks all parts of the toolkit in churn and faults: no law of their statistics may break, and nothing may grow.
//   npm run soak                          ten minutes
//   npm run soak -- --seconds 30 --seed 7
// Needs dist/, whose toolkit the threads load: `npm run build` first.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { collectGarbage } from '../helpers/garbage';
import { channelsPart } from './channels';
import { growthOf, type Sample } from './growth';
import { locksPart } from './locks';
import { Chance, type Part } from './part';
import { poolsPart } from './pools';
import { workerPoolsPart } from './worker-pools';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Date.now() % 1e6);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  throw new TypeError(
    `Expected --seconds above 0 and a whole --seed, got ${values.seconds} and ${values.seed}`,
  );
}

/** What is alive at rest. */
async function sample(atMs: number): Promise<Sample> {
  // Dropped pools let their connections go after a time, and finalizers run in turns of their own.
  await sleep(150);
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await sleep(1);
  }
  const { heapUsed, external } = process.memoryUsage();
  return { atMs, heap: heapUsed, external, resources: process.getActiveResourcesInfo().length };
}

async function main(): Promise<void> {
  console.log(`soak of ${seconds} s, seed ${seed}`);
  const chance = new Chance(seed);
  const parts: Part[] = [poolsPart, workerPoolsPart, channelsPart, locksPart].map(make => make(chance));
  const begin = performance.now();
  const samples: Sample[] = [];
  const checks = setInterval(() => {
    for (const part of parts) part.check();
  }, 7);
  const span = Math.max(700, (seconds * 1000) / 60);
  while (performance.now() - begin < seconds * 1000) {
    const until = performance.now() + span;
    await Promise.all(
      parts.map(async part => {
        while (performance.now() < until) await part.round();
      }),
    );
    for (const part of parts) {
      part.check();
      part.settled();
    }
    samples.push(await sample(performance.now() - begin));
  }
  clearInterval(checks);
  for (const part of parts) {
    await part.close();
    part.check();
  }
  const problems = report(parts, samples);
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? 'nothing grew, all laws held' : 'FAILED');
  if (problems.length > 0) process.exitCode = 1;
}

function report(parts: readonly Part[], samples: readonly Sample[]): string[] {
  const problems: string[] = [];
  for (const { tally } of parts) {
    const counts = [...tally.counts].map(([code, count]) => `${code} ${count}`).join(', ');
    console.log(`${tally.part}: ${tally.total} calls: ${counts}`);
    for (const code of tally.missing) problems.push(`${tally.part}: ${code} never came up`);
  }
  console.log(`heap at rest, KiB: ${samples.map(({ heap }) => Math.round(heap / 1024)).join(' ')}`);
  for (const [what, { from, to, limit }] of Object.entries(growthOf(samples))) {
    const change = `${what}: from ${from} to ${to}, at most ${limit} more`;
    console.log(change);
    if (to - from > limit) problems.push(`grew: ${change}`);
  }
  return problems;
}

void main();
