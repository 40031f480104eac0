import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** A response of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** What is needed of a fastify instance. */
export interface FastifyLike {
  addHook(name: 'onRequest', hook: FastifyHook): unknown;
}

/** A hook of fastify's that is called when a request has come. */
export type FastifyHook = (
  request: { readonly raw: HttpRequest; readonly routeOptions?: { readonly url?: string | undefined } },
  reply: { readonly raw: HttpResponse },
  done: () => void,
) => void;

/** A plugin as fastify's `register` takes it; it holds for the instance that it is registered with and all within. */
export type FastifyPlugin = (instance: FastifyLike, options: unknown, done: () => void) => void;

/** The pattern of the route that answers, once it is known. */
export type RouteOf = () => string | undefined;

/**
 * A part of an HTTP server that is laid over responses. What it does is in one method; the others fit it to
 * `node:http` (and https and http2), express (and what else takes such functions) and fastify.
 */
export abstract class HttpPart {
  /**
   * Lays it over one response. To be called before anything of the response was written; a second call for the same
   * response does nothing.
   *
   * @param route the pattern of the route, asked for when the response has ended
   */
  abstract attach(request: HttpRequest, response: HttpResponse, route?: RouteOf): void;

  /** For `node:http`, https and http2: the handler with this part around it. */
  wrap<Q extends HttpRequest, S extends HttpResponse>(
    handler: (request: Q, response: S) => unknown,
  ): (request: Q, response: S) => unknown {
    return (request, response) => {
      this.attach(request, response);
      return handler(request, response);
    };
  }

  /** For express, connect and the like: `app.use(part.middleware())`. */
  middleware(): (request: HttpRequest, response: HttpResponse, next: () => void) => void {
    return (request, response, next) => {
      this.attach(request, response);
      next();
    };
  }

  /** For fastify: `app.register(part.plugin())`. */
  plugin(): FastifyPlugin {
    const plugin: FastifyPlugin = (instance, _, done) => {
      instance.addHook('onRequest', (request, reply, next) => {
        this.attach(request.raw, reply.raw, () => request.routeOptions?.url);
        next();
      });
      done();
    };
    // As fastify-plugin marks one that is for all of the instance and not for a scope of its own.
    return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
  }
}

/** The pattern of the route that express found, as it stands when the response has ended; never the path. */
export function expressRoute(request: HttpRequest): string | undefined {
  const { baseUrl = '', route } = request as {
    baseUrl?: string;
    route?: { path?: unknown };
  };
  const path = route?.path;
  if (typeof path === 'string') return `${baseUrl}${path}`;
  if (path instanceof RegExp) return `${baseUrl}${String(path)}`;
  if (!Array.isArray(path)) return undefined;
  return `${baseUrl}${path.map(String).join('|')}`;
}
