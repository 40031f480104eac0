import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { test } from 'node:test';
import type { Profile } from 'pprof-format';
import { loadLibrary } from '../../../exporters/pyroscope/library';
import { startWall } from '../../../exporters/pyroscope/samplers';

/** Recursive, because V8 may count a small function for the one that it is inlined into. */
function priceCatalogue(depth: number): number {
  return depth < 2 ? 1 : priceCatalogue(depth - 1) + priceCatalogue(depth - 2);
}

/** Computes for that long; gives the CPU time that it took, in milliseconds. */
function work(ms: number): number {
  const before = process.cpuUsage();
  const until = performance.now() + ms;
  while (performance.now() < until) priceCatalogue(16);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Milliseconds of the samples that have `name` in their stack. */
function millis(
  { stringTable, location, function: functions, sample, sampleType }: Profile,
  name: string,
  type: string,
) {
  const { strings } = stringTable;
  const at = sampleType.findIndex(each => strings[Number(each.type)] === type);
  const named = new Set(functions.filter(each => strings[Number(each.name)] === name).map(({ id }) => id));
  const places = new Set(
    location.filter(({ line }) => line.some(({ functionId }) => named.has(functionId))).map(({ id }) => id),
  );
  return sample
    .filter(({ locationId }) => locationId.some(id => places.has(id)))
    .reduce((total, { value }) => total + Number(value[at]) / 1e6, 0);
}

for (const useOther of [false, true]) {
  test(`a window holds all the time of a function${useOther ? ', while another CPU profile is taken ten times as finely' : ''}`, async () => {
    const session = new Session();
    session.connect();
    const sampler = startWall(loadLibrary(), undefined, {
      windowMs: 1000,
      samplingIntervalMicros: 10_000,
      collectCpuTime: true,
      carryLabels: false,
    });
    try {
      if (useOther) {
        await session.post('Profiler.enable');
        await session.post('Profiler.setSamplingInterval', { interval: 1000 });
        await session.post('Profiler.start');
      }
      // The window is to hold the work alone, because its time is shared out among its samples.
      sampler.collect();
      const begin = performance.now();
      const cpu = work(900);
      const wall = performance.now() - begin;
      const { profile } = sampler.collect();
      const seen = {
        wall: millis(profile, 'priceCatalogue', 'wall'),
        cpu: millis(profile, 'priceCatalogue', 'cpu'),
      };
      const figures = JSON.stringify({ seen, wall, cpu });
      assert.ok(seen.cpu > 0.8 * cpu && seen.cpu < 1.2 * cpu, figures);
      // While the process waits for a core no sample is taken.
      assert.ok(seen.wall > 0.8 * cpu && seen.wall < 1.2 * wall, figures);
    } finally {
      sampler.finish();
      session.disconnect();
    }
  });
}
