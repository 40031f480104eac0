import type { IncomingMessage } from 'node:http';
import { expressRoute } from './express';
import { markedRoute } from './request-marks';

/**
 * The pattern of the route that answers a request, as its framework writes it: `/users/:id`. `undefined` where no
 * route matched and for servers without a framework; never the requested path. Ask when the response ends.
 */
export function routeOf(request: IncomingMessage): string | undefined {
  return markedRoute(request) ?? expressRoute(request);
}
