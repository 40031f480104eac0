import { httpMethods } from '../../catalogue/http';

const known = new Set<string>(httpMethods);

/** The method as `http.request.method` takes it: names are case-sensitive, and an unknown one is `_OTHER`. */
export function methodName(method: string | undefined): string {
  return method !== undefined && known.has(method) ? method : '_OTHER';
}

/** Long enough for every code of Node.js and undici; anything longer is nobody's code. */
const maxLength = 64;
const code = /^[A-Z][A-Z0-9_]*$/;
const name = /^[A-Za-z_$][\w$]*$/;

/** The `error.type` of a failure: its code, else its class, never its message. */
export function errorType(error: unknown): string {
  const given = error as { code?: unknown; name?: unknown } | null | undefined;
  for (const [value, pattern] of [
    [given?.code, code],
    [given?.name, name],
  ] as const) {
    if (typeof value === 'string' && value.length <= maxLength && pattern.test(value)) return value;
  }
  return '_OTHER';
}
