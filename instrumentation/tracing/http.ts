import { IncomingMessage } from 'node:http';
import { type Span, TraceFlags } from '@opentelemetry/api';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { isEnabled } from '../config/load';
import type { Config } from '../config/options';
import { isInternal } from '../internal';
import { markedRoute, markTrace } from '../libraries/request-marks';

/**
 * Spans of `http` and `https`. The meters' names switch them: `http-server` for what comes in, `http-client` for
 * what goes out. What the agent itself sends is sent with tracing suppressed.
 */
export function httpInstrumentation(config: Config): HttpInstrumentation {
  const mark = exemplarMark(config);
  return new HttpInstrumentation({
    disableIncomingRequestInstrumentation: !isEnabled(config, 'http-server'),
    disableOutgoingRequestInstrumentation: !isEnabled(config, 'http-client'),
    ignoreIncomingRequestHook: request =>
      isInternal((request.socket as { server?: object } | undefined)?.server),
    requestHook: (span, request) => {
      if (request instanceof IncomingMessage) mark(request, span);
    },
    // Called when the response ends: by then the frameworks' hooks know the route, also of those that have no
    // instrumentation of their own, and the span names the same route as the metrics.
    applyCustomAttributesOnSpan: (span, request) => {
      if (!(request instanceof IncomingMessage)) return;
      const route = markedRoute(request);
      if (route === undefined) return;
      span.setAttribute('http.route', route);
      span.updateName(`${request.method ?? 'HTTP'} ${route}`);
    },
  });
}

/** Notes the span on its request for the HTTP meter's exemplars, as far as the exemplar filter lets it. */
function exemplarMark({ exemplarFilter }: Config): (request: IncomingMessage, span: Span) => void {
  if (exemplarFilter === 'always_off') return () => {};
  const all = exemplarFilter === 'always_on';
  return (request, span) => {
    const { traceId, spanId, traceFlags } = span.spanContext();
    if (all || (traceFlags & TraceFlags.SAMPLED) !== 0) markTrace(request, { traceId, spanId });
  };
}
