import { unregister } from './api-global';
import type { Finding } from './diagnosis';
import { environment, isDisabled } from './environment';
import { hookModules } from './libraries/modules';
import { hookOtelApi } from './libraries/otel-api';
import { createLog } from './log';
import { installProxyProvider } from './proxy-meter';
import type { Vitals } from './start';

export type {
  Evidence,
  Finding,
  FindingCode,
  FindingReport,
  GcMeasurement,
  GcReport,
  MemoryReport,
  Severity,
  VitalsReport,
} from './diagnosis';
export type { Vitals } from './start';

const key = Symbol.for('otel-vitals.agent');
const scope = globalThis as { [key]?: Vitals };

/** Instruments that the application makes between the import of this module and `start()` are made up for. */
const early = scope[key] === undefined ? prepare() : undefined;

/** Settings of {@link start}. */
export interface SdkOptions {
  /** Variables by the names of docs/configuration.md; they win over the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told of each finding when it opens, see docs/runbooks. What it throws is a warning. @default nothing */
  readonly onFinding?: (finding: Finding) => void;
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
  const { start: startAgent } = require('./start.js') as typeof import('./start');
  // The proxy holds the place of the global provider; the real one takes it.
  early?.giveWay();
  const vitals = startAgent({ env, entry: process.argv[1], onFinding: options.onFinding });
  early?.proxy.connect(vitals.meterProvider);
  return vitals;
}

function prepare() {
  const proxy = installProxyProvider();
  if (proxy === undefined) return undefined;
  // Copies of the API newer than the agent's would take nothing from it until the start.
  const api = hookOtelApi(() => {});
  const unhook = hookModules(api.targets, createLog('none'), () => {});
  api.registered();
  let isWaiting = true;
  return {
    proxy,
    giveWay() {
      if (!isWaiting) return;
      isWaiting = false;
      unhook();
      api.dispose();
      unregister('metrics', proxy);
    },
  };
}
