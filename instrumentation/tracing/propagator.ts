import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
import type { Config } from '../config/options';

const makers: Record<Exclude<Config['propagators'][number], 'none'>, () => TextMapPropagator> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
  jaeger: () => new JaegerPropagator(),
};

/** The propagators that OTEL_PROPAGATORS names, as one; `undefined` for `none`. */
export function createPropagator({ propagators }: Config): TextMapPropagator | undefined {
  const made = propagators.flatMap(name => (name === 'none' ? [] : [makers[name]()]));
  return made.length === 0 ? undefined : new CompositePropagator({ propagators: made });
}
