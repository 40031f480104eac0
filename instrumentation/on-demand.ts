import type { Resource } from '@opentelemetry/resources';
import { errorText } from './log';
import type { MeterContext } from './meters/context';
import type { Profiling } from './profiling';

/**
 * Profiling on demand and the admin server, when they are asked for; nothing of them is loaded otherwise. Where they
 * can't be had, or it would not be safe, that is one warning.
 *
 * @param entry path of the application's main script
 */
export function startOnDemand(
  context: MeterContext,
  resource: Resource,
  entry: string,
): Profiling | undefined {
  const { config, log } = context;
  if (!config.admin) return undefined;
  if (!isLoopback(config.adminHost) && config.adminToken === undefined) {
    log.warn(
      `the admin server is off: VITALS_ADMIN_HOST=${config.adminHost} can be reached from elsewhere, and that ` +
        'needs VITALS_ADMIN_TOKEN',
    );
    return undefined;
  }
  try {
    const { startProfiling } = require('./profiling.js') as typeof import('./profiling');
    return startProfiling(context, { attribute: name => attribute(resource, name), entry });
  } catch (error) {
    log.warn(`the admin server did not start: ${errorText(error)}`);
    return undefined;
  }
}

/** Whether only this machine can reach a server at `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(host);
}

/** An attribute that is known by now; some detectors look theirs up asynchronously. */
function attribute(resource: Resource, name: string): string | undefined {
  const value = (resource.getRawAttributes() as [string, unknown][]).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}
