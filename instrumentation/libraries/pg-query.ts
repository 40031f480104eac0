/** Tells when a query of node-postgres ends, in each of the ways that one may be started. */

type End = (error?: unknown) => void;
type Callback = (this: unknown, error: unknown, ...results: unknown[]) => unknown;

/** A query object that the driver hands its messages: pg.Query, pg-cursor, pg-query-stream. */
interface Submittable {
  submit: unknown;
  handleReadyForQuery?: (this: unknown, ...args: unknown[]) => unknown;
  handleError?: (this: unknown, ...args: unknown[]) => unknown;
}

/** The application's callback by ours, where drivers before 8.17 leave ours in a config object that is used again. */
const originals = new WeakMap<object, Callback>();

/** The SQL text of whatever Client.query takes. */
export function textOf(config: unknown): string {
  if (typeof config === 'string') return config;
  const { text, cursor } = (config ?? {}) as { text?: unknown; cursor?: { text?: unknown } };
  if (typeof text === 'string') return text;
  return typeof cursor?.text === 'string' ? cursor.text : '';
}

/**
 * Measures a query object up to the server's "ready for query", which for a cursor or a stream comes when it was
 * read or closed; false where `config` is none.
 */
export function measureSubmittable(config: unknown, end: End): boolean {
  const query = config as Submittable;
  if (typeof query?.submit !== 'function') return false;
  const { handleReadyForQuery: ready, handleError: failed } = query;
  if (typeof ready !== 'function' || typeof failed !== 'function') return true;
  const owned = Object.hasOwn(query, 'handleReadyForQuery') || Object.hasOwn(query, 'handleError');
  const restore = (): void => {
    if (owned) {
      query.handleReadyForQuery = ready;
      query.handleError = failed;
    } else {
      // They came from the prototype, and an object that is used again must look as it did.
      delete query.handleReadyForQuery;
      delete query.handleError;
    }
  };
  query.handleReadyForQuery = function (...args) {
    restore();
    end();
    return ready.apply(this, args);
  };
  query.handleError = function (...args) {
    restore();
    end(args[0] ?? null);
    return failed.apply(this, args);
  };
  return true;
}

/** Puts `end` before the callback of Client.query, if there is one, among the arguments. */
export function wrapCallback(args: unknown[], end: End): void {
  const config = args[0] as { callback?: unknown } | string;
  for (const at of [2, 1]) {
    if (typeof args[at] === 'function') {
      args[at] = measured(args[at] as Callback, end, typeof config === 'object');
      return;
    }
  }
  // The config belongs to the application; a callback among the arguments wins over the one in it.
  if (typeof config === 'object' && typeof config.callback === 'function') {
    args[2] = measured(config.callback as Callback, end, true);
  }
}

function measured(given: Callback, end: End, mayReturn: boolean): Callback {
  const callback = (mayReturn ? originals.get(given) : undefined) ?? given;
  const wrapper: Callback = function (error, ...results) {
    if (error == null) end();
    else end(error);
    return callback.call(this, error, ...results);
  };
  if (mayReturn) originals.set(wrapper, callback);
  return wrapper;
}
