import { none, option, optional } from '../option';
import * as as from '../parsers';

const group = 'Profiling on demand';

export const onDemandOptions = {
  admin: option(
    group,
    'VITALS_ADMIN',
    as.boolean,
    false,
    'The admin server: `/debug/pprof/` as in Go, and `/profiling/`. See docs/profiling.md.',
  ),
  adminHost: option(
    group,
    'VITALS_ADMIN_HOST',
    as.host,
    '127.0.0.1',
    'Address of the admin server. Another than a loopback address needs VITALS_ADMIN_TOKEN.',
  ),
  adminPort: option(
    group,
    'VITALS_ADMIN_PORT',
    as.integer(0, 65_535),
    6060,
    'Port of the admin server; 0 takes a free one and says which.',
  ),
  adminToken: option(
    group,
    'VITALS_ADMIN_TOKEN',
    optional(as.secret),
    none,
    'Wanted with every request, as bearer token or as the password of basic authentication.',
    { defaultText: 'none' },
  ),
  captureDir: option(
    group,
    'VITALS_CAPTURE_DIR',
    optional(as.string),
    none,
    'Folder in which captures are kept; the processes of a service may share it.',
    { defaultText: "a folder of this user's under the system's temporary folder" },
  ),
  captureMaxBytes: option(
    group,
    'VITALS_CAPTURE_MAX_BYTES',
    as.integer(4096, 1_099_511_627_776),
    268_435_456,
    'Bytes that captures may take there; the oldest go first.',
  ),
  captureHeapBytes: option(
    group,
    'VITALS_CAPTURE_HEAP_INTERVAL_BYTES',
    as.integer(0, 1_073_741_824),
    524_288,
    'Bytes allocated between two heap samples, on average; 0 samples from the first heap profile on only. Where continuous profiling is on, its own setting holds.',
  ),
  trackResources: option(
    group,
    'VITALS_TRACK_RESOURCES',
    as.boolean,
    false,
    'Notes where each timer, socket and request is made, for `/debug/pprof/goroutine`. Slows promises down.',
  ),
} as const;
