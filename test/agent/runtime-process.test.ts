import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, test } from 'node:test';
import { assertBetween, type Between, runScenario, samplesOf } from '../helpers/scenario';

const linux = process.platform === 'linux';
const megabyte = 2 ** 20;

describe('the process meter', { concurrency: 2 }, () => {
  test('tells CPU time, memory, uptime and start as Node.js does', async () => {
    interface Truth {
      cpu: NodeJS.CpuUsage;
      memory: NodeJS.MemoryUsage;
      uptime: number;
      origin: number;
    }
    const { before, text, after } = await runScenario<Between<Truth>>(`
      const kept = Buffer.alloc(64 * ${megabyte}, 1);
      block(300);
      await metrics();
      report(await between(() => ({
        cpu: process.cpuUsage(), memory: process.memoryUsage(), uptime: process.uptime(),
        origin: performance.timeOrigin / 1000, kept: kept.length,
      })));`);
    const samples = samplesOf(text);
    for (const mode of ['user', 'system'] as const) {
      const seconds = samples.value('process_cpu_time_seconds_total', { cpu_mode: mode });
      assertBetween(seconds, before.cpu[mode] / 1e6, after.cpu[mode] / 1e6);
    }
    assert.ok(samples.value('process_cpu_time_seconds_total', { cpu_mode: 'user' })! >= 0.2);
    const share = samples.value('process_cpu_utilization_ratio')!;
    assert.ok(share > 0 && share <= 1, String(share));
    assertBetween(
      samples.value('process_memory_usage_bytes'),
      before.memory.rss,
      after.memory.rss,
      8 * megabyte,
    );
    assertBetween(
      samples.value('vitals_process_memory_external_bytes'),
      before.memory.external,
      after.memory.external,
      megabyte,
    );
    const arrayBuffers = samples.value('vitals_process_memory_array_buffers_bytes')!;
    assertBetween(arrayBuffers, before.memory.arrayBuffers, after.memory.arrayBuffers, megabyte);
    assert.ok(arrayBuffers >= 64 * megabyte);
    assertBetween(samples.value('process_uptime_seconds'), before.uptime, after.uptime);
    assertBetween(samples.value('vitals_process_start_time_seconds'), before.origin, after.origin, 0.001);
    const limit = samples.value('vitals_process_memory_limit_bytes')!;
    assert.ok(limit > 0 && limit <= totalmem(), String(limit));
  });

  test('tells CPU utilization as a share of the CPUs there are', async () => {
    // One of the CPUs is busy for the whole life of the process, as far as the machine lets it.
    const { text, truth } = await runScenario<{ text: string; truth: number }>(`
      const begin = { at: performance.now(), ...process.cpuUsage() };
      block(1500);
      const { user, system } = process.cpuUsage();
      const share = (user + system - begin.user - begin.system) / ((performance.now() - begin.at) * 1000);
      report({ text: await metrics(), truth: share / require('node:os').availableParallelism() });`);
    assertBetween(samplesOf(text).value('process_cpu_utilization_ratio'), truth, truth, truth * 0.15 + 0.02);
  });

  test('shows open descriptors and their limit at the first scrape, and follows them', {
    skip: linux ? false : 'Linux alone tells them',
  }, async () => {
    interface Result {
      first: string;
      second: string;
      counted: number;
      statm: number;
      limits: string;
    }
    const { first, second, counted, statm, limits } = await runScenario<Result>(`
        const fs = require('node:fs');
        const first = await metrics();
        const files = Array.from({ length: 100 }, () => fs.openSync(__filename));
        const second = await metrics();
        // The listing holds a descriptor of its own.
        const counted = fs.readdirSync('/proc/self/fd').length - 1;
        const statm = Number(fs.readFileSync('/proc/self/statm', 'utf8').split(' ')[0]) * 4096;
        report({ first, second, counted, statm, files, limits: fs.readFileSync('/proc/self/limits', 'utf8') });`);
    const at = (text: string): number => samplesOf(text).value('process_unix_file_descriptor_count')!;
    assert.ok(at(first) > 2, String(at(first)));
    assert.equal(
      samplesOf(first).value('vitals_process_file_descriptor_limit'),
      Number(/^Max open files\s+(\d+)/m.exec(limits)![1]),
    );
    // Before Linux 6.2 they are counted on the clock.
    if (at(second) !== at(first)) {
      assertBetween(at(second), at(first) + 100, at(first) + 100, 4);
      assertBetween(at(second), counted, counted, 4);
    }
    assertBetween(samplesOf(second).value('process_memory_virtual_bytes'), statm, statm, 256 * megabyte);
  });

  test('lists what keeps the event loop alive, and nothing of the agent', async () => {
    const code = `
      const net = require('node:net');
      const servers = [1, 2, 3].map(() => net.createServer().listen(0));
      const timers = [1, 2].map(() => setTimeout(() => {}, 1e6));
      setInterval(() => {}, 1e6).unref();
      await sleep(50);`;
    const truth = 'process.getActiveResourcesInfo().sort()';
    const { bare, text, after, resources } = await runScenario<{
      bare: string[];
      text: string;
      after: string;
      resources: string[];
    }>(`
      ${code}
      const { execFileSync } = require('node:child_process');
      const source = ${JSON.stringify(`(async () => { const { setTimeout: sleep } = require('node:timers/promises'); ${code} console.log(JSON.stringify(${truth})); process.exit(); })()`)};
      const bare = JSON.parse(execFileSync(process.execPath, ['-e', source], { env: {}, encoding: 'utf8' }));
      const resources = ${truth};
      const text = await metrics();
      for (const timer of timers) clearTimeout(timer);
      for (const server of servers) server.close();
      await sleep(50);
      report({ bare, resources, text, after: await metrics() });`);
    const count = (of: string, type: string): number =>
      samplesOf(of).value('v8js_resource_active', { v8js_resource_type: type }) ?? 0;
    const own = (list: string[]): string[] => list.filter(type => /^(TCPServerWrap|Timeout)$/.test(type));
    assert.deepEqual(own(resources), own(bare));
    assert.deepEqual(own(bare), ['TCPServerWrap', 'TCPServerWrap', 'TCPServerWrap', 'Timeout', 'Timeout']);
    assert.equal(count(text, 'TCPServerWrap'), 3);
    assert.equal(count(text, 'Timeout'), 2);
    // What was there once stays as a series, at 0.
    assert.equal(count(after, 'TCPServerWrap'), 0);
    assert.equal(
      samplesOf(after).of('v8js_resource_active', { v8js_resource_type: 'TCPServerWrap' }).length,
      1,
    );
  });
});
