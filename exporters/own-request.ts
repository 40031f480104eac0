import type { ClientRequest } from 'node:http';
import { context, createContextKey } from '@opentelemetry/api';
import { makeInternal } from '../instrumentation/internal';

/** The key of `suppressTracing` in `@opentelemetry/core`, which alone would be ten times the bundles it is used in. */
const suppressTracing = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Makes a request of the agent's own, which is neither traced nor measured as the application's. */
export function ownRequest(make: () => ClientRequest): ClientRequest {
  return makeInternal(() => context.with(context.active().setValue(suppressTracing, true), make));
}
