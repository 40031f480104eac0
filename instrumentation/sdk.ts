import { metrics } from '@opentelemetry/api';
import { environment, isDisabled } from './environment';
import { installProxyProvider } from './proxy-meter';
import type { Vitals } from './start';

export type { Vitals } from './start';

/** Instruments that the application makes between the import of this module and `start()` are made up for. */
const proxy = installProxyProvider();
const key = Symbol.for('otel-vitals.agent');
const scope = globalThis as { [key]?: Vitals };

/** Settings of {@link start}. */
export interface SdkOptions {
  /** Variables by the names of docs/configuration.md; they win over the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts otel-vitals from code, for applications that can't preload it. Libraries loaded before are not seen, so
 * call it first. Where the agent already runs, by a preload or an earlier call, that one is given back.
 *
 * @returns `undefined` where OTEL_SDK_DISABLED is true
 */
export function start(options: SdkOptions = {}): Vitals | undefined {
  const env = { ...environment(), ...options.env };
  if (isDisabled(env)) return undefined;
  const present = scope[key];
  if (present !== undefined) return present;
  // The proxy holds the place of the global provider; the real one takes it.
  if (proxy !== undefined) metrics.disable();
  const agent = require('./start.js') as typeof import('./start');
  const vitals = agent.start({ env, entry: process.argv[1] });
  proxy?.connect(vitals.meterProvider);
  return vitals;
}
