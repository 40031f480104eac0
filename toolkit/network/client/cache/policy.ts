import { createHash } from 'node:crypto';
import CachePolicy from 'http-cache-semantics';
import { type Headers, joined } from '../headers';
import type { SettledCache } from '../options';
import type { Call } from '../request';
import { type Asked, varyOf } from './store';

type Request = CachePolicy.HttpRequest;

/** What the cache's rules need of an answer. */
export interface Judged {
  readonly status: number;
  readonly headers: Headers;
}

/** Fields of a request that ask for something else than what is stored, or that judge by themselves. */
const special = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
];

/** Whether the cache has to do with the call. */
export function isCacheable({ method, body, headers, cache }: Call): boolean {
  return (
    cache && method === 'GET' && body === undefined && !special.some(name => headers[name] !== undefined)
  );
}

/** The rules of RFC 9111, by http-cache-semantics, and what is stricter here. */
export class CacheRules {
  readonly #Policy: typeof CachePolicy;

  constructor(
    private readonly options: SettledCache,
    wallNow: () => number,
  ) {
    this.#Policy = class extends CachePolicy {
      /** In place of the library's clock. */
      now(): number {
        return wallNow();
      }
    };
  }

  asked({ origin, path, headers }: Call): Asked & { readonly request: Request; readonly key: string } {
    const url = origin + path;
    const single: Record<string, string> = {};
    for (const name in headers) single[name] = joined(headers[name])!;
    const key = JSON.stringify([url, ...Object.entries(single).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const identity = this.options.shared ? '' : identityOf(single);
    const request = { url, method: 'GET', headers: cacheControlLower(single) };
    return { url, identity, headers: single, request, key };
  }

  /** A policy for an answer that may be stored and is of use then, else undefined. */
  storable(request: Request, answer: Judged): CachePolicy | undefined {
    const headers = singleValued(answer.headers);
    if (varyOf(answer.headers).includes('*')) return undefined;
    // The RFC lets a shared cache store cookies, which are nobody's but the user's that they were set for.
    if (this.options.shared && headers['set-cookie'] !== undefined) return undefined;
    // Set once, by the answer itself.
    delete headers['set-cookie'];
    const { shared, heuristic } = this.options;
    const policy = new this.#Policy(
      request,
      { status: answer.status, headers },
      { shared, cacheHeuristic: heuristic },
    );
    const canBeAsked = headers['etag'] !== undefined || headers['last-modified'] !== undefined;
    return policy.storable() && (canBeAsked || policy.timeToLive() > 0) ? policy : undefined;
  }

  /**
   * The policy of a stored answer of which the server says, by 304, that it still holds; undefined where it says so of
   * another one.
   */
  confirmed(policy: CachePolicy, request: Request, notModified: Judged): CachePolicy | undefined {
    const headers = singleValued(notModified.headers);
    const stored = policy.responseHeaders();
    // Some leave them out, and can mean no other: only those of this one were sent.
    for (const name of ['etag', 'last-modified']) {
      if (headers['etag'] === undefined && stored[name] !== undefined) headers[name] ??= String(stored[name]);
    }
    const { policy: newer, matches } = policy.revalidatedPolicy(request, { status: 304, headers });
    return matches ? newer : undefined;
  }
}

/** Whether a stale answer may be given where the server fails, as its `stale-if-error` says: RFC 5861. */
export function mayReplaceError(policy: CachePolicy, request: Request): boolean {
  const { 'cache-control': stored } = policy.responseHeaders();
  if (!/(^|[\s,])stale-if-error\s*=/.test(String(stored)) || !mayBeStale(policy)) return false;
  if (/no-cache/.test(String(request.headers['cache-control']))) return false;
  return policy.revalidatedPolicy(request, { status: 502, headers: {} }).policy === policy;
}

/** Whether an answer forbids to be given once it is stale, whatever else it says. */
export function mayBeStale(policy: CachePolicy): boolean {
  return !/(^|[\s,])(must-revalidate|proxy-revalidate|no-cache)/.test(
    String(policy.responseHeaders()['cache-control']),
  );
}

/** http-cache-semantics knows directives by their names in lower case only. */
function cacheControlLower(headers: Record<string, string>): Record<string, string> {
  const value = headers['cache-control'];
  return value === undefined ? headers : { ...headers, 'cache-control': value.toLowerCase() };
}

function singleValued(headers: Headers): Record<string, string> {
  const single: Record<string, string> = {};
  for (const name in headers) single[name] = joined(headers[name])!;
  return cacheControlLower(single);
}

/** Tells users of a cache that is not shared apart, without keeping what they prove themselves by. */
function identityOf({ authorization, cookie }: Record<string, string>): string {
  if (authorization === undefined && cookie === undefined) return '';
  return createHash('sha256')
    .update(JSON.stringify([authorization ?? null, cookie ?? null]))
    .digest('base64');
}
