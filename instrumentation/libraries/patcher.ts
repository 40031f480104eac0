import { errorText, type Log } from '../log';
import { type AnyFunction, type Patcher, UnexpectedShape } from './target';

/** A patcher and the function that takes its changes back, where nobody has wrapped over them since. */
export function createPatcher(log: Log): Patcher & { undo(): void } {
  const undos: (() => void)[] = [];
  const failed = (error: unknown): void =>
    log.warnOnce('library hook', `a library hook failed: ${errorText(error)}`);
  return {
    wrap(object, name, make) {
      const holder = object as Record<string, unknown>;
      const original = holder[name];
      if (typeof original !== 'function') {
        throw new UnexpectedShape(`Expected a method ${name}, got ${typeof original}`);
      }
      const own = Object.getOwnPropertyDescriptor(object, name);
      const wrapper = make(original as AnyFunction);
      for (const key of ['name', 'length'] as const) {
        Object.defineProperty(wrapper, key, { value: original[key], configurable: true });
      }
      Object.defineProperty(object, name, {
        value: wrapper,
        writable: true,
        configurable: true,
        enumerable: own?.enumerable ?? false,
      });
      undos.push(() => {
        if (holder[name] !== wrapper) return;
        if (own === undefined) delete holder[name];
        else Object.defineProperty(object, name, own);
      });
    },
    guard(part) {
      try {
        part();
      } catch (error) {
        failed(error);
      }
    },
    failed,
    undo() {
      for (const undo of undos.splice(0).reverse()) undo();
    },
  };
}
