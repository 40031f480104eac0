import type { IncomingMessage } from 'node:http';
import type { Exemplar } from '../metrics/exemplar';

/**
 * What hooks of frameworks and of tracing leave on a request for the HTTP meter to read when it ends. Symbols in
 * the global registry, because the agent's bundles share no module.
 */
const route = Symbol.for('otel-vitals.route');
const trace = Symbol.for('otel-vitals.trace');

/** Knows the route of a request by the time its response ends. */
export interface RouteMark {
  readonly route: string | undefined;
}

type Marked = IncomingMessage & {
  [route]?: RouteMark | undefined;
  [trace]?: Pick<Exemplar, 'traceId' | 'spanId'>;
};

let expected = false;

/** Says that a framework is there which marks requests. */
export function expectMarks(): void {
  expected = true;
}

/**
 * Makes the place for the mark while the request is still as Node.js made it: once a framework has changed its
 * prototype, a new property takes microseconds. Without a framework the property would cost for nothing.
 */
export function reserveMark(request: IncomingMessage): void {
  if (expected) (request as Marked)[route] = undefined;
}

/** Notes what knows the request's route; asked when the response ends. The last mark counts. */
export function markRoute(request: IncomingMessage, mark: RouteMark): void {
  (request as Marked)[route] = mark;
}

export function routeMark(request: IncomingMessage): RouteMark | undefined {
  return (request as Marked)[route];
}

export function markedRoute(request: IncomingMessage): string | undefined {
  return routeMark(request)?.route;
}

/** Notes the span of a request, for exemplars. */
export function markTrace(request: IncomingMessage, span: Pick<Exemplar, 'traceId' | 'spanId'>): void {
  (request as Marked)[trace] = span;
}

export function markedTrace(request: IncomingMessage): Pick<Exemplar, 'traceId' | 'spanId'> | undefined {
  return (request as Marked)[trace];
}
