import type { Routes } from './routes';

/** What is read of a request; express', connect's and node:http's are such. */
export interface RouteRequest {
  readonly method?: string | undefined;
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown } | undefined;
}

/** What is listened to of a response. */
export interface RouteResponse {
  once(event: 'close', listener: () => void): unknown;
}

/** Options of the middleware. */
export interface MiddlewareOptions<Q extends RouteRequest> {
  /**
   * Names the route when the response has ended. It must have few values: never the URL itself.
   *
   * @default the method and the route's pattern, as express has it
   */
  readonly route?: (request: Q) => string;
}

/** Makes each request one run of its route. */
export function routeMiddleware<Q extends RouteRequest>(
  routes: Routes,
  name: (request: Q) => string = routeOf,
): (request: Q, response: RouteResponse, next: () => void) => void {
  return (request, response, next) => {
    routes.begin(end => {
      response.once('close', () => {
        let route = '(unnamed)';
        try {
          route = String(name(request));
        } catch {
          // The application's name of a route is no reason to end its process.
        }
        end(route);
      });
      next();
    });
  };
}

function routeOf({ method = '', baseUrl = '', route }: RouteRequest): string {
  const path = typeof route?.path === 'string' ? `${baseUrl}${route.path}` : '(no route)';
  return `${method} ${path}`.trim();
}
