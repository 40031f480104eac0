import type { RouteAnswer, RouteRequest } from '../contract';

/** A page of the admin server that the main thread makes. Those who reach it have passed the server's checks. */
export type RouteHandler = (request: RouteRequest) => RouteAnswer | Promise<RouteAnswer>;

/** Pages of the main thread, by path. */
export interface Routes {
  /** @param path such as `/vitals`; the server's own paths go first. The result takes the page away. */
  add(path: string, handler: RouteHandler): () => void;
  answer(request: RouteRequest): Promise<RouteAnswer | undefined>;
}

export function createRoutes(): Routes {
  const handlers = new Map<string, RouteHandler>();
  return {
    add(path, handler) {
      handlers.set(path, handler);
      return () => {
        if (handlers.get(path) === handler) handlers.delete(path);
      };
    },
    async answer(request) {
      return handlers.get(request.path)?.(request);
    },
  };
}
