/** Directives of `Cache-Control` in a response (RFC 9111, 5861, 8246). Times are whole seconds. */
export interface CacheControlDirectives {
  /** Shared caches may keep it too, even where the request was authorised. */
  readonly public?: boolean;
  /** Only the caller's own cache may keep it; or, as a list, only these header fields are the caller's own. */
  readonly private?: boolean | readonly string[];
  /** Fresh for so long. */
  readonly maxAge?: number;
  /** The same for shared caches, which then do not use `maxAge`. */
  readonly sMaxAge?: number;
  /** To be asked for again before each use; or, as a list, without these header fields. */
  readonly noCache?: boolean | readonly string[];
  /** Not to be kept at all. */
  readonly noStore?: boolean;
  /** Not to be changed on the way, nor compressed. */
  readonly noTransform?: boolean;
  /** Never to be used when stale. */
  readonly mustRevalidate?: boolean;
  /** The same for shared caches. */
  readonly proxyRevalidate?: boolean;
  /** To be kept only by a cache that knows the status; others keep to `noStore`. */
  readonly mustUnderstand?: boolean;
  /** Does not change while it is fresh. */
  readonly immutable?: boolean;
  /** Stale for so long it may be used while it is asked for again. */
  readonly staleWhileRevalidate?: number;
  /** Stale for so long it may be used where asking again fails. */
  readonly staleIfError?: number;
}

type Name = keyof CacheControlDirectives;

const order: readonly (readonly [Name, string])[] = [
  ['public', 'public'],
  ['private', 'private'],
  ['noStore', 'no-store'],
  ['noCache', 'no-cache'],
  ['maxAge', 'max-age'],
  ['sMaxAge', 's-maxage'],
  ['mustRevalidate', 'must-revalidate'],
  ['proxyRevalidate', 'proxy-revalidate'],
  ['mustUnderstand', 'must-understand'],
  ['staleWhileRevalidate', 'stale-while-revalidate'],
  ['staleIfError', 'stale-if-error'],
  ['immutable', 'immutable'],
  ['noTransform', 'no-transform'],
];
const times = new Set<Name>(['maxAge', 'sMaxAge', 'staleWhileRevalidate', 'staleIfError']);
const lists = new Set<Name>(['private', 'noCache']);

/** Pairs that cannot both be meant, with why. */
const contradictions: readonly (readonly [Name, Name, string])[] = [
  ['public', 'private', 'it is one or the other'],
  ['private', 'sMaxAge', 'no shared cache keeps it'],
  ['private', 'proxyRevalidate', 'no shared cache keeps it'],
  ['mustRevalidate', 'staleWhileRevalidate', 'it is never to be used when stale'],
  ['mustRevalidate', 'staleIfError', 'it is never to be used when stale'],
  ['noCache', 'immutable', 'it is asked for again each time'],
  ['noCache', 'staleWhileRevalidate', 'it is asked for again before each use'],
  ...(['public', 'noCache', 'maxAge', 'sMaxAge', 'mustRevalidate', 'proxyRevalidate'] as const).map(
    name => ['noStore', name, 'nothing is kept'] as const,
  ),
  ...(['staleWhileRevalidate', 'staleIfError', 'immutable'] as const).map(
    name => ['noStore', name, 'nothing is kept'] as const,
  ),
];

/**
 * A `Cache-Control` of a response.
 *
 * @returns such as `public, max-age=60, stale-while-revalidate=30`
 * @throws TypeError when directives contradict each other, a time is not whole seconds of zero or more, one is not
 *   known, or there is none
 */
export function cacheControl(directives: CacheControlDirectives): string {
  const names = order.map(([name]) => name);
  for (const name of Object.keys(directives)) {
    if (!names.includes(name as Name))
      throw new TypeError(`Expected one of ${names.join(', ')}, got ${name}`);
  }
  const given = new Map<Name, string>();
  for (const [name, word] of order) {
    const written = writtenOf(name, word, directives[name]);
    if (written !== undefined) given.set(name, written);
  }
  if (given.size === 0) throw new TypeError('Expected at least one directive of Cache-Control, got none');
  for (const [one, other, why] of contradictions) {
    if (!given.has(one) || !given.has(other)) continue;
    // A list of fields is about those alone; and who knows must-understand passes over no-store.
    if (Array.isArray(directives[one]) || Array.isArray(directives[other])) continue;
    if (one === 'noStore' && given.has('mustUnderstand')) continue;
    throw new TypeError(`Expected ${one} without ${other}: ${why}`);
  }
  if (given.has('mustUnderstand') && !given.has('noStore')) {
    throw new TypeError('Expected mustUnderstand with noStore, which caches keep to that do not know it');
  }
  if (given.has('immutable') && !given.has('maxAge') && !given.has('sMaxAge')) {
    throw new TypeError('Expected immutable with maxAge or sMaxAge: it holds while the response is fresh');
  }
  return [...given.values()].join(', ');
}

function writtenOf(name: Name, word: string, value: unknown): string | undefined {
  if (value === undefined || value === false) return undefined;
  if (times.has(name)) {
    if (Number.isInteger(value) && (value as number) >= 0) return `${word}=${value as number}`;
    throw new TypeError(`Expected ${name} to be whole seconds of zero or more, got ${String(value)}`);
  }
  if (value === true) return word;
  if (lists.has(name) && Array.isArray(value) && value.length > 0) {
    for (const field of value) {
      if (typeof field !== 'string' || !/^[!#$%&'*+.^`|~\w-]+$/.test(field)) {
        throw new TypeError(`Expected ${name} to name header fields, got ${String(field)}`);
      }
    }
    return `${word}="${value.join(', ')}"`;
  }
  const expected = lists.has(name) ? 'true, false or a list of header fields' : 'true or false';
  throw new TypeError(`Expected ${name} to be ${expected}, got ${String(value)}`);
}
