import type { IncomingMessage } from 'node:http';
import { markRoute, type RouteMark, routeMark } from './request-marks';
import { type AnyFunction, type Patcher, prototypeOf, type Target, UnexpectedShape } from './target';

/** One entry of a router: a mount (`use`) or a route. */
interface Layer {
  readonly route?: { readonly path: unknown };
}

/** A router's place by its pattern. Kept per layer, so that a request makes no strings. */
class Mount {
  readonly #mounts = new WeakMap<Layer, Mount>();
  readonly #routes = new WeakMap<Layer, string>();

  constructor(readonly pattern: string) {}

  below(layer: Layer, path: unknown): Mount {
    let mount = this.#mounts.get(layer);
    if (mount === undefined) {
      mount = new Mount(this.pattern + patternOf(path));
      this.#mounts.set(layer, mount);
    }
    return mount;
  }

  route(layer: Layer): string {
    let route = this.#routes.get(layer);
    if (route === undefined) {
      route = this.pattern + patternOf(layer.route!.path) || '/';
      this.#routes.set(layer, route);
    }
    return route;
  }
}

const root = new Mount('');

/** Where in the tree of mounted routers a request is, and which route it was given to. */
class State implements RouteMark {
  mount = root;
  route: string | undefined = undefined;
}

let enabled = false;

/**
 * Express 4 and 5: follows each request through the routers.
 *
 * `request.baseUrl` holds the path of a mounted router as it was requested, `/users/42`, so the pattern is noted
 * when a router is mounted and when a request enters it; `request.route` alone would also be left over from a
 * route that handed on, and from a mounted one whose error an outer handler answers.
 */
export function expressTargets(): { targets: Target[]; dispose: () => void } {
  enabled = true;
  /** What a layer was mounted at, for those that are not mounted at the root. */
  const mountedAt = new WeakMap<Layer, unknown>();

  const hookUse = (exports: unknown, patcher: Patcher): void => {
    const router = exports as { use?: unknown; prototype?: { use?: unknown } };
    const holder = typeof router.use === 'function' ? router : router.prototype;
    if (holder === undefined) throw new UnexpectedShape('Expected a router, got none');
    patcher.wrap(
      holder,
      'use',
      original =>
        function (this: { stack?: Layer[] }, ...args) {
          const before = this.stack?.length ?? 0;
          const result = original.apply(this, args);
          if (isPath(args[0]) && args[0] !== '/') {
            patcher.guard(() => {
              for (const layer of this.stack?.slice(before) ?? []) mountedAt.set(layer, args[0]);
            });
          }
          return result;
        },
    );
  };

  const handle =
    (patcher: Patcher) =>
    (original: AnyFunction): AnyFunction =>
      function (this: Layer, request: IncomingMessage, response: unknown, next: AnyFunction) {
        const isRoute = this.route !== undefined;
        const path = isRoute ? undefined : mountedAt.get(this);
        if (!isRoute && path === undefined) return original.call(this, request, response, next);

        let state: State;
        let mount: Mount;
        let route: string | undefined;
        try {
          state = stateOf(request);
          ({ mount, route } = state);
          if (isRoute) state.route = mount.route(this);
          else state.mount = mount.below(this, path);
        } catch (failure) {
          patcher.failed(failure);
          return original.call(this, request, response, next);
        }
        return original.call(this, request, response, function (this: unknown, ...args: unknown[]) {
          state.mount = mount;
          // Who hands on was not the route; who fails was.
          if (isRoute && (!args[0] || args[0] === 'route' || args[0] === 'router')) state.route = route;
          return next.apply(this, args);
        });
      };

  const hookLayer = (exports: unknown, patcher: Patcher): void => {
    const prototype = prototypeOf(exports, '') as Record<string, unknown>;
    const name = typeof prototype['handleRequest'] === 'function' ? 'handleRequest' : 'handle_request';
    patcher.wrap(prototype, name, handle(patcher));
  };

  const target = (name: string, file: RegExp, hook: Target['hook']): Target => ({
    library: 'express',
    package: name,
    file,
    hook,
  });
  return {
    targets: [
      target('express', /^lib\/router\/index\.js$/, hookUse),
      target('express', /^lib\/router\/layer\.js$/, hookLayer),
      target('router', /^index\.js$/, hookUse),
      target('router', /^lib\/layer\.js$/, hookLayer),
    ],
    dispose: () => {
      enabled = false;
    },
  };
}

/**
 * The route of an express that could not be hooked, because it is bundled into the application. Below a mounted
 * router there is none: what is known of the mount is the requested path.
 */
export function expressRoute(request: IncomingMessage): string | undefined {
  // Not of one that was: express leaves a route on the request that handed it on.
  if (!enabled || routeMark(request) instanceof State) return undefined;
  const { route, baseUrl } = request as { route?: { path?: unknown }; baseUrl?: unknown };
  return baseUrl === '' && isPath(route?.path) ? patternOf(route?.path) || '/' : undefined;
}

function stateOf(request: IncomingMessage): State {
  const found = routeMark(request);
  if (found instanceof State) return found;
  const state = new State();
  markRoute(request, state);
  return state;
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' || path instanceof RegExp || (Array.isArray(path) && path.some(isPath));
}

/** A path as it was given to the router; alternatives are joined by a bar, and a trailing slash says nothing. */
function patternOf(path: unknown): string {
  if (Array.isArray(path)) return path.filter(isPath).map(patternOf).join('|');
  if (path instanceof RegExp) return String(path);
  return String(path).replace(/\/+$/, '');
}
