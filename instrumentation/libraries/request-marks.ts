import type { IncomingMessage } from 'node:http';
import type { Exemplar } from '../metrics/exemplar';

/**
 * What hooks of frameworks and of tracing leave on a request for the HTTP meter to read when it ends. Symbols in
 * the global registry, because the agent's bundles share no module.
 */
const route = Symbol.for('otel-vitals.route');
const trace = Symbol.for('otel-vitals.trace');

type Marked = IncomingMessage & {
  [route]?: () => string | undefined;
  [trace]?: Pick<Exemplar, 'traceId' | 'spanId'>;
};

/** Says how the framework names the request's route; asked when the response ends. */
export function markRoute(request: IncomingMessage, read: () => string | undefined): void {
  (request as Marked)[route] = read;
}

export function markedRoute(request: IncomingMessage): string | undefined {
  return (request as Marked)[route]?.();
}

/** Notes the span of a request, for exemplars. */
export function markTrace(request: IncomingMessage, span: Pick<Exemplar, 'traceId' | 'spanId'>): void {
  (request as Marked)[trace] = span;
}

export function markedTrace(request: IncomingMessage): Pick<Exemplar, 'traceId' | 'spanId'> | undefined {
  return (request as Marked)[trace];
}
