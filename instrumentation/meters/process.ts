import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { processMetrics } from '../catalogue';
import type { Meter } from './context';
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

  registry
    .instrument(m.startTime)
    .with({})
    .set(Math.round(performance.timeOrigin) / 1000);
  registry.instrument(m.memoryLimit).with({}).set(memoryLimit());
  const descriptorLimit = linux ? readDescriptorLimit() : undefined;
  if (descriptorLimit !== undefined) registry.instrument(m.fileDescriptorLimit).with({}).set(descriptorLimit);

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
    const memory = process.memoryUsage();
    rss.set(memory.rss);
    external.set(memory.external);
    arrayBuffers.set(memory.arrayBuffers);
    uptime.set(process.uptime());
    if (linux) readVirtual(size => registry.instrument(m.memoryVirtual).with({}).set(size));
  });

  // Listing tens of thousands of descriptors takes too long for a scrape, so it is done beside it.
  const countDescriptors = (): void => {
    readdir('/proc/self/fd').then(
      // The listing itself holds one descriptor.
      entries =>
        registry
          .instrument(m.fileDescriptors)
          .with({})
          .set(Math.max(0, entries.length - 1)),
      () => {},
    );
  };
  const stopTick = onTick(() => {
    window.advance();
    if (linux) countDescriptors();
  });
  if (linux) setImmediate(countDescriptors).unref();

  return () => {
    stopReading();
    stopTick();
  };
};

/** The container's limit where there is one, else the machine's memory. */
function memoryLimit(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  // Without a limit the kernel reports a number far past what any machine has.
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

function readDescriptorLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function readVirtual(report: (bytes: number) => void): void {
  try {
    // The first field of statm is the program's size in pages of 4 KiB, on every platform Node.js has binaries for
    // but some arm64 kernels; status gives kibibytes everywhere.
    const kib = /^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kib !== undefined) report(Number(kib) * 1024);
  } catch {
    // A sandbox may hide /proc; the series is then absent.
  }
}
