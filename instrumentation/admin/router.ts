import type { Exchange } from './exchange';

export interface Route {
  readonly methods: readonly string[];
  /** Whether asking changes or costs something: then no other site's page may, and HEAD does not do it. */
  readonly effect: boolean;
  readonly handle: (exchange: Exchange) => void | Promise<void>;
}

/** Routes by path; one that ends in `/*` is for all below it. */
export type Routes = Readonly<Record<string, Route>>;

export const reading = ['GET', 'HEAD'] as const;

export function findRoute(routes: Routes, path: string): Route | undefined {
  if (Object.hasOwn(routes, path) && !path.endsWith('/*')) return routes[path];
  const folder = `${path.slice(0, path.lastIndexOf('/'))}/*`;
  return Object.hasOwn(routes, folder) && !path.endsWith('/') ? routes[folder] : undefined;
}
