import type { IncomingMessage } from 'node:http';
import { markRoute, type RouteMark } from './request-marks';
import { prototypeOf, type Target } from './target';

/** What koa-router and @koa/router leave on the context of a request that they matched. */
interface Context {
  readonly _matchedRoute?: string | RegExp;
}

class Mark implements RouteMark {
  constructor(readonly context: Context) {}

  get route(): string | undefined {
    const { _matchedRoute: route } = this.context;
    return route === undefined ? undefined : String(route);
  }
}

/** koa, with koa-router or @koa/router of any version. */
export function koaTargets(): Target[] {
  return [
    {
      library: 'koa',
      package: 'koa',
      file: /^lib\/application\.js$/,
      hook: (exports, patcher) =>
        patcher.wrap(
          prototypeOf(exports, '', 'default'),
          'createContext',
          original =>
            function (this: unknown, ...args) {
              const context: Context = original.apply(this, args);
              const request = args[0] as IncomingMessage;
              try {
                markRoute(request, new Mark(context));
              } catch (failure) {
                patcher.failed(failure);
              }
              return context;
            },
        ),
    },
  ];
}
