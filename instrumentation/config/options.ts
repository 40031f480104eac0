import type { Option } from './option';
import { autoprofileOptions } from './options/autoprofile';
import { diagnosisOptions } from './options/diagnosis';
import { generalOptions } from './options/general';
import { metricsOptions } from './options/metrics';
import { onDemandOptions } from './options/on-demand';
import { otlpOptions } from './options/otlp';
import { profilingOptions } from './options/profiling';
import { tracesOptions } from './options/traces';

export type { Group, Option } from './option';
export { detectorNames } from './options/general';

/**
 * Every variable the agent reads, in the order of the documentation. Parser, types, documentation and redaction
 * come from this table.
 */
export const options = {
  ...generalOptions,
  ...metricsOptions,
  ...tracesOptions,
  ...otlpOptions,
  ...profilingOptions,
  ...onDemandOptions,
  ...autoprofileOptions,
  ...diagnosisOptions,
} as const;

type Options = typeof options;
type ValueOf<O> = O extends Option<infer T> ? T : never;

/** Complete: every option has a value, so nothing further in needs a default. */
export type Config = { readonly [K in keyof Options]: ValueOf<Options[K]> };

/** Variables that OpenTelemetry's instrumentations read by themselves once traces are on. */
export const passedThrough = ['OTEL_FASTIFY_IGNORE_PATHS'] as const;
