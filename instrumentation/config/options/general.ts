import { logLevels } from '../../log';
import { libraryNames, meterNames } from '../../names';
import { none, option, optional } from '../option';
import * as as from '../parsers';

const group = 'General';

/** The resource detectors that OTEL_NODE_RESOURCE_DETECTORS names. */
export const detectorNames = ['env', 'host', 'os', 'process', 'serviceinstance', 'container'] as const;

export const generalOptions = {
  disabled: option(group, 'OTEL_SDK_DISABLED', as.boolean, false, 'Loads nothing at all.'),
  serviceName: option(
    group,
    'OTEL_SERVICE_NAME',
    optional(as.string),
    none,
    'Name of the service; wins over `service.name` in OTEL_RESOURCE_ATTRIBUTES.',
    { defaultText: 'name in the nearest package.json' },
  ),
  resourceAttributes: option(
    group,
    'OTEL_RESOURCE_ATTRIBUTES',
    as.keyValues,
    {},
    'Attributes of the resource, as `key=value` pairs with percent-encoded values.',
    { defaultText: '`service.version` from the nearest package.json' },
  ),
  resourceDetectors: option(
    group,
    'OTEL_NODE_RESOURCE_DETECTORS',
    as.listOf(...detectorNames, 'all', 'none'),
    [...detectorNames],
    'Where attributes of the resource come from.',
  ),
  logLevel: option(
    group,
    'OTEL_LOG_LEVEL',
    as.oneOf(...logLevels),
    'warn',
    "Level of the agent's own diagnostics, which go to stderr, one line each.",
  ),
  enabled: option(
    group,
    'OTEL_NODE_ENABLED_INSTRUMENTATIONS',
    optional(as.names),
    undefined,
    `Meters and libraries to use, and no others: ${[...meterNames, ...libraryNames].join(', ')}.`,
    { defaultText: 'all' },
  ),
  disabledNames: option(
    group,
    'OTEL_NODE_DISABLED_INSTRUMENTATIONS',
    as.names,
    [],
    'Meters and libraries to leave out.',
    { defaultText: 'none' },
  ),
  shutdownTimeoutMs: option(
    group,
    'VITALS_SHUTDOWN_TIMEOUT_MS',
    as.integer(0, 60_000),
    2000,
    'Milliseconds that a last flush may take when the process ends.',
  ),
} as const;
