import { attribute, metric } from './define';

const meter = 'process';

const cpuMode = attribute('cpu.mode', 'Where the time was spent', { values: ['user', 'system'] });

export const processMetrics = {
  cpuTime: metric(meter, 'process.cpu.time', 'counter', 's', 'CPU seconds the process has used', {
    attributes: [cpuMode],
  }),
  cpuUtilization: metric(
    meter,
    'process.cpu.utilization',
    'gauge',
    '1',
    'CPU time over the last 10 to 20 s divided by wall time and by the CPUs that the process may use',
    { attributes: [cpuMode] },
  ),
  memoryUsage: metric(meter, 'process.memory.usage', 'updowncounter', 'By', 'Resident set size'),
  memoryVirtual: metric(
    meter,
    'process.memory.virtual',
    'updowncounter',
    'By',
    'Committed virtual memory (Linux)',
  ),
  uptime: metric(meter, 'process.uptime', 'gauge', 's', 'Seconds since the process started'),
  fileDescriptors: metric(
    meter,
    'process.unix.file_descriptor.count',
    'updowncounter',
    '{file_descriptor}',
    'Open file descriptors (Linux; counted every 10 s where the kernel is older than 6.2)',
  ),
  external: metric(
    meter,
    'vitals.process.memory.external',
    'gauge',
    'By',
    'Memory of C++ objects bound to JavaScript objects, array buffers included',
  ),
  arrayBuffers: metric(
    meter,
    'vitals.process.memory.array_buffers',
    'gauge',
    'By',
    'Memory of ArrayBuffers and Buffers; a part of external memory',
  ),
  memoryLimit: metric(
    meter,
    'vitals.process.memory.limit',
    'gauge',
    'By',
    "Memory the process may use: the container's limit, else the machine's memory",
  ),
  fileDescriptorLimit: metric(
    meter,
    'vitals.process.file_descriptor.limit',
    'gauge',
    '{file_descriptor}',
    'Most file descriptors the process may open: the soft limit (Linux)',
  ),
  startTime: metric(
    meter,
    'vitals.process.start_time',
    'gauge',
    's',
    'When the process started, in seconds since the epoch; a step is a restart',
  ),
} as const;
