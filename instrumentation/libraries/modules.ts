import Module from 'node:module';
import { errorText, type Log } from '../log';
import type { LibraryName } from '../names';
import { createPatcher } from './patcher';
import { type EsmHook, hookKey, locate } from './place';
import type { Target } from './target';

type Compile = (this: NodeModule, content: string, filename: string, ...rest: unknown[]) => unknown;

/**
 * Hooks the modules of `targets` when they load, and those that have loaded already.
 *
 * CommonJS: Node's `Module.prototype._compile` runs each module, those that an ES module imports as well, so it is
 * the one place that sees them all. ES modules: the loader hooks of esm-hooks.ts append a call to what this leaves
 * under {@link hookKey}.
 *
 * @param onHooked told of each module that was hooked
 * @returns a function that takes everything back
 */
export function hookModules(
  targets: readonly Target[],
  log: Log,
  onHooked: (library: LibraryName) => void,
): () => void {
  const patcher = createPatcher(log);
  const byPackage = new Map<string, Target[]>();
  for (const target of targets) {
    byPackage.set(target.package, [...(byPackage.get(target.package) ?? []), target]);
  }

  const loaded = (filename: string, exports: unknown): void => {
    const place = locate(filename);
    if (place === undefined) return;
    for (const target of byPackage.get(place.name) ?? []) {
      if (!target.file.test(place.path)) continue;
      try {
        target.hook(exports, patcher, filename);
        if (target.library !== undefined) onHooked(target.library);
      } catch (error) {
        log.info(`${place.name}/${place.path} is left alone: ${errorText(error)}`);
      }
    }
  };

  const prototype = Module.prototype as unknown as { _compile: Compile };
  const compile = prototype._compile;
  const patched: Compile = function (content, filename, ...rest) {
    const result = compile.call(this, content, filename, ...rest);
    // A string that names no node_modules is told from the rest in tens of nanoseconds.
    if (typeof filename === 'string' && filename.includes('node_modules')) {
      const place = locate(filename);
      if (place !== undefined && byPackage.has(place.name)) loaded(filename, this.exports);
    }
    return result;
  };
  prototype._compile = patched;

  const hook: EsmHook = Object.assign(loaded, {
    warn: log.warn,
    targets: targets.flatMap(({ package: name, file, expression }) =>
      expression === undefined ? [] : [{ package: name, file, expression }],
    ),
  });
  const globals = globalThis as Record<symbol, unknown>;
  globals[hookKey] = hook;

  // What was required before the agent, as with the programmatic start.
  const cache = (Module as unknown as { _cache: Record<string, NodeModule> })._cache;
  for (const [filename, { exports, loaded: done }] of Object.entries(cache)) {
    if (done) loaded(filename, exports);
  }

  return () => {
    if (prototype._compile === patched) prototype._compile = compile;
    byPackage.clear();
    if (globals[hookKey] === hook) delete globals[hookKey];
    patcher.undo();
  };
}
