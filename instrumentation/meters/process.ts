import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { processMetrics } from '../catalogue';
import type { Meter } from './context';
import { countDescriptors, descriptorLimit } from './file-descriptors';
import { memoryLimit } from './memory-limit';
import { memoryUse } from './memory-use';
import { windowed } from './window';

const linux = process.platform === 'linux';

/** CPU, memory, file descriptors and uptime of the process. */
export const meterProcess: Meter = ({ registry, onTick }) => {
  const m = processMetrics;
  const user = registry.instrument(m.cpuTime).with({ 'cpu.mode': 'user' });
  const system = registry.instrument(m.cpuTime).with({ 'cpu.mode': 'system' });
  const utilization = registry.instrument(m.cpuUtilization);
  const userShare = utilization.with({ 'cpu.mode': 'user' });
  const systemShare = utilization.with({ 'cpu.mode': 'system' });
  const rss = registry.instrument(m.memoryUsage).with({});
  const uptime = registry.instrument(m.uptime).with({});
  const external = registry.instrument(m.external).with({});
  const arrayBuffers = registry.instrument(m.arrayBuffers).with({});
  const limit = registry.instrument(m.memoryLimit).with({});

  registry
    .instrument(m.startTime)
    .with({})
    .set(Math.round(performance.timeOrigin) / 1000);
  limit.set(memoryLimit());
  const onLinux = linux ? meterLinux(registry) : undefined;

  const cpus = availableParallelism();
  const window = windowed(() => ({ at: performance.now(), ...process.cpuUsage() }));

  const stopReading = registry.onCollect(() => {
    const cpu = process.cpuUsage();
    user.set(cpu.user / 1e6);
    system.set(cpu.system / 1e6);
    const { from, to } = window.span();
    const available = (to.at - from.at) * 1000 * cpus;
    userShare.set(available > 0 ? (to.user - from.user) / available : undefined);
    systemShare.set(available > 0 ? (to.system - from.system) / available : undefined);
    const memory = memoryUse();
    rss.set(memory.rss);
    external.set(memory.external);
    arrayBuffers.set(memory.arrayBuffers);
    uptime.set(process.uptime());
  });
  const stopTick = onTick(() => {
    window.advance();
    onLinux?.tick();
    // A container's limit may be changed while it runs.
    limit.set(memoryLimit());
  });
  return () => {
    stopReading();
    stopTick();
    onLinux?.stop();
  };
};

/** What only /proc tells. Series whose value can't be read are absent. */
function meterLinux(registry: Parameters<Meter>[0]['registry']): { tick(): void; stop(): void } {
  const m = processMetrics;
  const descriptors = countDescriptors();
  const most = descriptorLimit();
  if (most !== undefined) registry.instrument(m.fileDescriptorLimit).with({}).set(most);
  const stop = registry.onCollect(() => {
    const size = virtualBytes();
    if (size !== undefined) registry.instrument(m.memoryVirtual).with({}).set(size);
    const open = descriptors.read();
    if (open !== undefined) registry.instrument(m.fileDescriptors).with({}).set(open);
  });
  return { tick: descriptors.tick, stop };
}

function virtualBytes(): number | undefined {
  try {
    // The first field of statm is the program's size in pages of 4 KiB, on every platform Node.js has binaries for
    // but some arm64 kernels; status gives kibibytes everywhere.
    const kib = /^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    // A sandbox may hide /proc.
    return undefined;
  }
}
