import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AttributeValue } from '@opentelemetry/api';
import { containerDetector } from '@opentelemetry/resource-detector-container';
import {
  detectResources,
  hostDetector,
  osDetector,
  processDetector,
  type Resource,
  type ResourceDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import type { Config, detectorNames } from './config/options';

type DetectorName = (typeof detectorNames)[number];

const detectors: Record<Exclude<DetectorName, 'env'>, ResourceDetector> = {
  host: hostDetector,
  os: osDetector,
  // The arguments of a command line may hold credentials, and target_info shows every attribute.
  process: { detect: config => omit(processDetector.detect(config), 'process.command_args') },
  serviceinstance: {
    detect() {
      instanceId ??= randomId();
      return { attributes: { 'service.instance.id': instanceId } };
    },
  },
  container: containerDetector,
};

/** Of the process, also where the agent is stopped and started again. */
let instanceId: string | undefined;

/** A random UUID. The kernel's costs a read of 37 bytes, while loading `crypto` takes a tenth of the start. */
function randomId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
  } catch {
    const { randomUUID } = require('node:crypto') as typeof import('node:crypto');
    return randomUUID();
  }
}

/**
 * The resource of this process: what detectors find, over it the nearest package.json, over that
 * OTEL_RESOURCE_ATTRIBUTES, and over all OTEL_SERVICE_NAME.
 *
 * @param entry path of the application's main script, from which package.json is looked for upwards
 */
export function detectResource(config: Config, entry: string): Resource {
  const wanted = config.resourceDetectors as readonly string[];
  const has = (name: DetectorName): boolean => wanted.includes('all') || wanted.includes(name);
  const chosen = Object.entries(detectors).filter(([name]) => has(name as DetectorName));
  const detected = detectResources({ detectors: chosen.map(([, detector]) => detector) });
  const attributes: Record<string, AttributeValue> = {
    'service.name': 'unknown_service:node',
    ...packageAttributes(entry),
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.distro.name': 'otel-vitals',
    'telemetry.distro.version': version,
    ...(has('env') ? config.resourceAttributes : {}),
    ...(config.serviceName === undefined ? {} : { 'service.name': config.serviceName }),
  };
  return detected.merge(resourceFromAttributes(attributes));
}

/** Version of this package. */
export const version: string = typeof OTEL_VITALS_VERSION === 'string' ? OTEL_VITALS_VERSION : '0.0.0-source';

/** Folders that are looked at on the way up; no real tree is deeper. */
const maxDepth = 32;

/** Name and version of the nearest package.json that has a name. */
function packageAttributes(entry: string): Record<string, string> {
  let folder = dirname(entry);
  for (let depth = 0; depth < maxDepth; depth++) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      if (typeof name === 'string' && name !== '') {
        return {
          'service.name': name,
          ...(typeof version === 'string' ? { 'service.version': version } : {}),
        };
      }
    } catch {
      // Not there, or not JSON: the next one up may be.
    }
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return {};
}

function omit(
  found: ReturnType<ResourceDetector['detect']>,
  name: string,
): ReturnType<ResourceDetector['detect']> {
  const { [name]: _, ...attributes } = found.attributes ?? {};
  return { ...found, attributes };
}
