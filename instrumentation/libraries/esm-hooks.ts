import Module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorText } from '../log';
import { type Loaded, withHook } from './esm-source';
import { type EsmHook, hookKey } from './place';

type Load = (url: string, context: unknown, next: (url: string, context?: unknown) => Loaded) => Loaded;

const done = Symbol.for('otel-vitals.esm-hooks');

/**
 * Hooks the ES modules that the started agent asks for; call it under `--import`, after the start. Calling it again
 * does nothing, nor does it where the agent did not start.
 *
 * Node.js from 22.15 has hooks that run in this thread; before that a loader thread is needed.
 */
export function installEsmHooks(): void {
  const globals = globalThis as Record<symbol, unknown>;
  const hook = globals[hookKey] as EsmHook | undefined;
  if (hook === undefined || hook.targets.length === 0 || globals[done] === true) return;
  globals[done] = true;
  const { targets } = hook;
  const { registerHooks } = Module as unknown as { registerHooks?: (hooks: { load: Load }) => void };
  try {
    if (registerHooks !== undefined) {
      registerHooks({ load: (url, context, next) => withHook(targets, url, next(url, context)) });
    } else {
      Module.register(pathToFileURL(join(__dirname, 'esm-loader.mjs')), { data: { targets } });
    }
  } catch (error) {
    // Under Node.js 20's permission model a loader thread may not be started.
    hook.warn(`libraries are not measured where they are ES modules: ${errorText(error)}`);
  }
}
