import { apiGlobal, apiKey } from '../api-global';

/**
 * Notices that a copy of `@opentelemetry/api` which could not be hooked tries to register something in vain.
 *
 * Every copy assigns the object that all share to its place again whenever it registers something, and at no other
 * time. Whether that came to anything is told by whether the object has changed when the turn of the event loop ends.
 *
 * @returns `quietly`, which runs a registration that is none of that kind, and `stop`
 */
export function watchUnseenCopies(onRefused: () => void): {
  quietly<T>(register: () => T): T;
  stop(): void;
} {
  let shared: unknown = apiGlobal();
  let quiet = false;
  let attempts = 0;
  let before: Record<string, unknown> = {};

  const judge = (): void => {
    const now: Record<string, unknown> = { ...apiGlobal() };
    const changed = Object.keys(now).filter(name => now[name] !== before[name]).length;
    const refused = attempts > changed;
    attempts = 0;
    if (refused) onRefused();
  };
  Object.defineProperty(globalThis, apiKey, {
    configurable: true,
    enumerable: true,
    get: () => shared,
    set(next: unknown) {
      shared = next;
      if (quiet) return;
      if (attempts++ > 0) return;
      before = { ...apiGlobal() };
      queueMicrotask(judge);
    },
  });
  return {
    quietly(register) {
      quiet = true;
      try {
        return register();
      } finally {
        quiet = false;
      }
    },
    stop() {
      Object.defineProperty(globalThis, apiKey, {
        configurable: true,
        enumerable: true,
        writable: true,
        value: shared,
      });
    },
  };
}
