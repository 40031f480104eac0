/** Checks of options. Each gives the value back, or throws a TypeError that says what was expected and what came. */

/** @throws TypeError when `value` is not an integer above zero */
export function positiveInteger(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new TypeError(`Expected ${name} to be an integer above zero, got ${String(value)}`);
}

/** @throws TypeError when `value` is neither an integer above zero nor Infinity */
export function positiveIntegerOrInfinity(name: string, value: number): number {
  return value === Infinity ? value : positiveInteger(name, value);
}

/** @throws TypeError when `value` is not an integer of zero or more */
export function nonNegativeInteger(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new TypeError(`Expected ${name} to be an integer of zero or more, got ${String(value)}`);
}

/** The longest delay a timer takes: past 2^31 - 1 ms Node.js fires at once. */
export const longestDelayMs = 2 ** 31 - 1;

/** @throws TypeError when `value` is not a number of milliseconds above zero that a timer can wait for */
export function delayMs(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= longestDelayMs) return value;
  throw new TypeError(
    `Expected ${name} to be milliseconds above 0 and at most ${longestDelayMs}, got ${String(value)}`,
  );
}

/** @throws TypeError when `value` is not a string of at least one character */
export function nonEmptyString(name: string, value: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`Expected ${name} to be a string of at least one character, got ${String(value)}`);
}

/** @throws TypeError when `value` is not a function */
export function callable<F>(name: string, value: F): F {
  if (typeof value === 'function') return value;
  throw new TypeError(`Expected ${name} to be a function, got ${value === null ? 'null' : typeof value}`);
}

/** As {@link callable}, for one that may be left out. */
export function optionalCallable<F>(name: string, value: F | undefined): F | undefined {
  return value === undefined ? undefined : callable(name, value);
}

/**
 * An AbortSignal, by what is used of it, so that those of other makers and realms are taken.
 *
 * @throws TypeError when `signal` is neither one nor left out
 */
export function abortSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const { addEventListener, removeEventListener } = Object(signal) as Partial<AbortSignal>;
  if (typeof addEventListener === 'function' && typeof removeEventListener === 'function') return signal;
  throw new TypeError(
    `Expected signal to be an AbortSignal, got ${signal === null ? 'null' : typeof signal}`,
  );
}

/**
 * A function of the application's that is told of something, such as `onError`: what it throws, or rejects with, has
 * nowhere to go and is dropped. One that is left out does nothing.
 *
 * @throws TypeError when `value` is neither a function nor left out
 */
export function listener<A extends readonly unknown[]>(
  name: string,
  value: ((...args: A) => unknown) | undefined,
): (...args: A) => void {
  if (value === undefined) return () => {};
  callable(name, value);
  return (...args) => {
    try {
      const result = value(...args) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === 'function') result.then(undefined, () => {});
    } catch {
      // See above.
    }
  };
}
