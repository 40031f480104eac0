import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { LibraryName } from '../names';
import { markRoute, type RouteMark } from './request-marks';
import type { Patcher } from './target';

interface Request {
  readonly raw: IncomingMessage;
  /** From 4.10. */
  readonly routeOptions?: { readonly url?: string };
  /** Before. */
  readonly routerPath?: string;
  readonly is404?: boolean;
}

interface Fastify {
  addHook(name: 'onRequest', hook: (request: Request, reply: unknown, done: () => void) => void): unknown;
}

class Mark implements RouteMark {
  constructor(readonly request: Request) {}

  get route(): string | undefined {
    const { request } = this;
    if (request.is404 === true) return undefined;
    // Where there is the new field, reading the old one gives a warning.
    return request.routeOptions === undefined ? request.routerPath : request.routeOptions.url;
  }
}

const channel = 'fastify.initialization';

/** fastify tells of every instance itself; the hook that is added to it comes before the application's own. */
export function hookFastify(patcher: Patcher, onHooked: (library: LibraryName) => void): () => void {
  const onInitialization = (message: unknown): void =>
    patcher.guard(() => {
      (message as { fastify: Fastify }).fastify.addHook('onRequest', onRequest);
      onHooked('fastify');
    });
  const onRequest = (request: Request, _reply: unknown, done: () => void): void => {
    try {
      markRoute(request.raw, new Mark(request));
    } catch (failure) {
      patcher.failed(failure);
    }
    done();
  };
  subscribe(channel, onInitialization);
  return () => unsubscribe(channel, onInitialization);
}
