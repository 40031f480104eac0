import type { IncomingMessage } from 'node:http';
import { markRoute, type RouteMark } from './request-marks';
import { type AnyFunction, type Patcher, prototypeOf, type Target } from './target';

/** What hono's routers keep for a route: the handler that runs and what the application registered. */
type Entry = [handler: AnyFunction, route: { readonly path?: unknown; readonly method?: unknown }];

interface Context {
  readonly env?: { readonly incoming?: IncomingMessage };
  readonly req?: { readonly raw?: object };
}

const routers = ['SmartRouter', 'RegExpRouter', 'TrieRouter', 'LinearRouter', 'PatternRouter'];

/**
 * hono on @hono/node-server, as ES module and CommonJS.
 *
 * The handler of each route notes its pattern on the request. The wrapped one is known to the routers alone: what
 * hono tells the application of its routes holds the application's own handler.
 */
export function honoTargets(): Target[] {
  const wrapped = new WeakSet<AnyFunction>();

  const hook = (exports: unknown, patcher: Patcher): void =>
    patcher.wrap(
      prototypeOf(exports, ...routers),
      'add',
      original =>
        function (this: unknown, ...args) {
          const entry = args[2] as Partial<Entry> | undefined;
          if (!Array.isArray(entry) || typeof entry[0] !== 'function' || isMiddleware(entry as Entry)) {
            return original.apply(this, args);
          }
          // Routers hand on to routers what they were given.
          if (wrapped.has(entry[0])) return original.apply(this, args);
          const [handler, route] = entry as Entry;
          const noting = note(handler, String(route.path), patcher);
          wrapped.add(noting);
          return original.call(this, args[0], args[1], [noting, ...entry.slice(1)]);
        },
    );

  // The file of each router exports its one class under the name of the folder.
  const names = routers.map(name => `${name}: typeof ${name} === 'undefined' ? undefined : ${name}`);
  return [
    {
      library: 'hono',
      package: 'hono',
      file: /^dist\/(cjs\/)?router\/(smart|reg-exp|trie|linear|pattern)-router\/router\.js$/,
      expression: `{ ${names.join(', ')} }`,
      hook,
    },
  ];
}

/** `app.use(...)`: a handler for all methods below a path. */
function isMiddleware([, route]: Entry): boolean {
  return typeof route?.path !== 'string' || (route.method === 'ALL' && route.path.endsWith('*'));
}

function note(handler: AnyFunction, path: string, patcher: Patcher): AnyFunction {
  const mark: RouteMark = { route: path };
  return function (this: unknown, context: Context, next: AnyFunction) {
    let request: IncomingMessage | undefined;
    try {
      request = requestOf(context);
      if (request !== undefined) markRoute(request, mark);
    } catch (failure) {
      patcher.failed(failure);
      request = undefined;
    }
    if (request === undefined) return handler.call(this, context, next);
    const marked = request;
    return handler.call(this, context, function (this: unknown, ...args: unknown[]) {
      // Who hands on was not the route; the next one notes itself.
      markRoute(marked, none);
      return next.apply(this, args);
    });
  };
}

const none: RouteMark = { route: undefined };

/** node-server's own symbol for the request that it was made from. */
let incomingKey: symbol | undefined;

function requestOf(context: Context): IncomingMessage | undefined {
  const incoming = context.env?.incoming;
  if (incoming !== undefined) return incoming;
  // An application that calls `app.fetch(request)` itself hands on no environment.
  const raw = context.req?.raw as Record<symbol, unknown> | undefined;
  if (raw === undefined) return undefined;
  incomingKey ??= Object.getOwnPropertySymbols(raw).find(({ description }) => description === 'incomingKey');
  return incomingKey === undefined ? undefined : (raw[incomingKey] as IncomingMessage | undefined);
}
