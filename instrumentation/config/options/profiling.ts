import { none, option, optional } from '../option';
import * as as from '../parsers';

const group = 'Continuous profiling';

export const profilingOptions = {
  pyroscopeAddress: option(
    group,
    'PYROSCOPE_SERVER_ADDRESS',
    optional(as.url),
    none,
    'Base URL of a Pyroscope server; turns continuous profiling on.',
    { defaultText: 'off' },
  ),
  pyroscopeApplication: option(
    group,
    'PYROSCOPE_APPLICATION_NAME',
    optional(as.string),
    none,
    'Application name of the profiles.',
    { defaultText: 'the service name' },
  ),
  pyroscopeAuthToken: option(
    group,
    'PYROSCOPE_AUTH_TOKEN',
    optional(as.secretHeaderValue),
    none,
    'Bearer token.',
    {
      defaultText: 'none',
    },
  ),
  pyroscopeUser: option(
    group,
    'PYROSCOPE_BASIC_AUTH_USER',
    optional(as.string),
    none,
    'User of basic authentication.',
    { defaultText: 'none' },
  ),
  pyroscopePassword: option(
    group,
    'PYROSCOPE_BASIC_AUTH_PASSWORD',
    optional(as.secret),
    none,
    'Password of basic authentication.',
    { defaultText: 'none' },
  ),
  pyroscopeTenant: option(
    group,
    'PYROSCOPE_TENANT_ID',
    optional(as.headerValue),
    none,
    'Tenant, sent as X-Scope-OrgID.',
    { defaultText: 'none' },
  ),
  pyroscopeFlushMs: option(
    group,
    'PYROSCOPE_FLUSH_INTERVAL_MS',
    as.integer(100, 3_600_000),
    60_000,
    'Milliseconds between uploads of heap profiles.',
  ),
  pyroscopeUploadTimeoutMs: option(
    group,
    'VITALS_PYROSCOPE_TIMEOUT_MS',
    as.integer(10, 600_000),
    10_000,
    'Milliseconds that one upload may take.',
  ),
  pyroscopeWallDurationMs: option(
    group,
    'PYROSCOPE_WALL_SAMPLING_DURATION_MS',
    as.integer(100, 3_600_000),
    60_000,
    'Milliseconds that one wall profile covers before it is uploaded.',
  ),
  pyroscopeWallIntervalMicros: option(
    group,
    'PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS',
    as.integer(1000, 10_000_000),
    10_000,
    'Microseconds between two wall samples.',
  ),
  pyroscopeCpuTime: option(
    group,
    'PYROSCOPE_WALL_COLLECT_CPU_TIME',
    as.boolean,
    true,
    'CPU time beside wall time; without it there are no CPU profiles.',
  ),
  pyroscopeHeapBytes: option(
    group,
    'PYROSCOPE_HEAP_SAMPLING_INTERVAL_BYTES',
    as.integer(1024, 1_073_741_824),
    524_288,
    'Bytes allocated between two heap samples, on average.',
  ),
  pyroscopeHeapDepth: option(
    group,
    'PYROSCOPE_HEAP_STACK_DEPTH',
    as.integer(1, 1024),
    64,
    'Frames kept of the stack of a heap sample.',
  ),
  spanProfiles: option(
    group,
    'VITALS_SPAN_PROFILES',
    as.oneOf('trace', 'span', 'off'),
    'trace',
    'With traces on, wall samples carry `span_id` and `trace_id`, and the first span of a trace has ' +
      '`pyroscope.profile.id`. `span` leaves `trace_id` out: Pyroscope before 2.0 makes a series of each.',
  ),
  sourceMaps: option(
    group,
    'VITALS_SOURCE_MAPS',
    as.boolean,
    true,
    'Profiles name original files and lines where source maps lie beside the code.',
  ),
} as const;
