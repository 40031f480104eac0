import type { Resource } from '@opentelemetry/resources';
import type { PyroscopeExporter } from '../exporters/pyroscope';
import { isEnabled } from './config/load';
import { errorText } from './log';
import type { MeterContext } from './meters/context';
import type { GcSource } from './meters/gc-source';
import { pyroscopeDestination } from './profiles';
import type { Profiling } from './profiling';

/**
 * Profiling on demand, the admin server and the auto-profiler, as far as they are asked for; nothing of them is loaded
 * otherwise. Where they can't be had, or it would not be safe, that is one warning.
 *
 * @param entry path of the application's main script
 * @param continuous continuous profiling, which knows what was before a trigger
 */
export function startOnDemand(
  context: MeterContext,
  resource: Resource,
  entry: string,
  gc: GcSource,
  continuous: Pick<PyroscopeExporter, 'recent'> | undefined,
): Profiling | undefined {
  const { config, log } = context;
  const serve = config.admin && isSafe(context);
  if (!serve && !config.autoprofile) return undefined;
  let profiling: Profiling;
  try {
    const { startProfiling } = require('./profiling.js') as typeof import('./profiling');
    const pyroscope =
      config.pyroscopeAddress === undefined
        ? undefined
        : {
            to: pyroscopeDestination(config.pyroscopeAddress, config, resource),
            timeoutMs: config.pyroscopeUploadTimeoutMs,
          };
    profiling = startProfiling(context, {
      attribute: name => attributeOf(resource, name),
      entry,
      serve,
      pyroscope,
      gc: isEnabled(config, 'gc') ? gc : undefined,
    });
  } catch (error) {
    const what = [serve ? ['admin server'] : [], config.autoprofile ? ['auto-profiler'] : []].flat();
    log.warn(`the ${what.join(' and the ')} did not start: ${errorText(error)}`);
    return undefined;
  }
  return config.autoprofile ? withAutoprofiler(context, profiling, continuous) : profiling;
}

function withAutoprofiler(
  context: MeterContext,
  profiling: Profiling,
  continuous: Pick<PyroscopeExporter, 'recent'> | undefined,
): Profiling {
  try {
    const { startAutoprofiler } = require('./autoprofile.js') as typeof import('./autoprofile');
    const stopAutoprofiler = startAutoprofiler(context, profiling, continuous);
    return {
      ...profiling,
      stop() {
        stopAutoprofiler();
        return profiling.stop();
      },
    };
  } catch (error) {
    context.log.warn(`the auto-profiler did not start: ${errorText(error)}`);
    return profiling;
  }
}

/** Whether the admin server may listen where it is configured to; says so where it may not. */
function isSafe({ config, log }: MeterContext): boolean {
  if (isLoopback(config.adminHost) || config.adminToken !== undefined) return true;
  log.warn(
    `the admin server is off: VITALS_ADMIN_HOST=${config.adminHost} can be reached from elsewhere, and that ` +
      'needs VITALS_ADMIN_TOKEN',
  );
  return false;
}

/** Whether only this machine can reach a server at `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(host);
}

/** An attribute that is known by now; some detectors look theirs up asynchronously. */
export function attributeOf(resource: Resource, name: string): string | undefined {
  const value = (resource.getRawAttributes() as [string, unknown][]).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}
