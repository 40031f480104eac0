/**
 * Where a file lies: the package's folder name in the innermost `node_modules`, and the path inside it with forward
 * slashes. `undefined` outside of `node_modules`.
 */
export function locate(filename: string): { name: string; path: string } | undefined {
  const text = filename.includes('\\') ? filename.replaceAll('\\', '/') : filename;
  const at = text.lastIndexOf('/node_modules/');
  if (at < 0) return undefined;
  const start = at + '/node_modules/'.length;
  let end = text.indexOf('/', start);
  if (text[start] === '@' && end > 0) end = text.indexOf('/', end + 1);
  return end < 0 ? undefined : { name: text.slice(start, end), path: text.slice(end + 1) };
}

/** An ES module to hook, as the loader needs it: data only, because it may cross threads. */
export interface EsmTarget {
  readonly package: string;
  readonly file: RegExp;
  readonly expression: string;
}

/** What hooked ES modules call, under {@link hookKey} of the global object. */
export interface EsmHook {
  (filename: string, exports: unknown): void;
  readonly targets: readonly EsmTarget[];
  /** Says in the agent's log that something is not hooked. */
  warn(message: string): void;
}

/** In the global symbol registry, because hooked modules share no module with the agent. */
export const hookKey = Symbol.for('otel-vitals.hook');
