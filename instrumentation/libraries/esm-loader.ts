/** The loader thread of Node.js before 22.15: appends calls to the ES modules that are hooked. */
import { type Loaded, withHook } from './esm-source';
import type { EsmTarget } from './place';

let targets: readonly EsmTarget[] = [];

export function initialize(data: { targets: readonly EsmTarget[] }): void {
  ({ targets } = data);
}

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<Loaded>,
): Promise<Loaded> {
  return withHook(targets, url, await next(url, context));
}
