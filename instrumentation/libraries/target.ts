import type { LibraryName } from '../names';

/** A function of a library, called with whatever the application gives it. */
// biome-ignore lint/suspicious/noExplicitAny: hooked functions are handed through, not interpreted
export type AnyFunction = (this: any, ...args: any[]) => any;

/** What a hook is given to change a library with; the changes end with the agent. */
export interface Patcher {
  /**
   * Replaces the method `name` of `object` by what `make` gives for the original.
   *
   * @throws UnexpectedShape if there is no such method
   */
  wrap(object: object, name: string, make: (original: AnyFunction) => AnyFunction): void;
  /** Runs a part of the agent inside a hooked function: what it throws is noted and goes no further. */
  guard(part: () => void): void;
  /** Notes what a part of the agent threw, for hot functions that catch it themselves and so make no closure. */
  failed(error: unknown): void;
}

/** Files of a package that are hooked once they have run. */
export interface Target {
  /** What OTEL_NODE_DISABLED_INSTRUMENTATIONS calls it; `undefined` for what belongs to the agent itself. */
  readonly library: LibraryName | undefined;
  /** Name of the folder in node_modules. */
  readonly package: string;
  /** Matches paths inside the package, with forward slashes. */
  readonly file: RegExp;
  /** For ES modules: an expression in the module's scope that gives what the CommonJS build exports. */
  readonly expression?: string;
  /**
   * Hooks what the module exports. `filename` is its path.
   *
   * @throws UnexpectedShape if the module is not what the hook was written for; it is then left alone
   */
  readonly hook: (exports: unknown, patcher: Patcher, filename: string) => void;
}

/** A library is not what the agent knows it to be. */
export class UnexpectedShape extends Error {
  readonly code = 'UNEXPECTED_SHAPE';
}

/** The prototype of a class that a module exports as `names[0]`, else `names[1]`, ...; `''` is the module itself. */
export function prototypeOf(exports: unknown, ...names: string[]): object {
  for (const name of names) {
    const found = name === '' ? exports : (exports as Record<string, unknown> | undefined)?.[name];
    if (typeof found === 'function' && typeof found.prototype === 'object') return found.prototype;
  }
  throw new UnexpectedShape(`Expected a class exported as ${names.join(' or ')}, got none`);
}
