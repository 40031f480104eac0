import {
  delayMs,
  nonEmptyString,
  nonNegativeInteger,
  optionalCallable,
  positiveInteger,
  positiveIntegerOrInfinity,
} from '../../options';
import { acceptEncoding } from './decoding';
import { lowerCased } from './headers';
import type {
  HttpCacheOptions,
  HttpClientOptions,
  HttpConnectionOptions,
  HttpRetryOptions,
  HttpTimeouts,
  SettledCache,
  SettledClientOptions,
  SettledConnections,
  SettledRetry,
  SettledTimeouts,
} from './options';

const idempotentMethods = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];
/** Those that say that the server, or what is before it, can't now: RFC 9110 and RFC 6585. */
const retriedStatuses = [408, 429, 502, 503, 504];

/** @throws TypeError when an option is not as documented */
export function settleClientOptions(options: HttpClientOptions): SettledClientOptions {
  const decode = options.decode ?? true;
  const headers = lowerCased(options.headers ?? {});
  return {
    name: nonEmptyString('name', options.name),
    baseUrl: options.baseUrl === undefined ? undefined : base(options.baseUrl),
    headers: decode ? { 'accept-encoding': acceptEncoding, ...headers } : headers,
    timeouts: settleTimeouts(options.timeouts ?? {}),
    connections: settleConnections(options.connections ?? {}),
    retry: settleRetry(options.retry === false ? { maxAttempts: 1 } : (options.retry ?? {})),
    cache: options.cache ? settleCache(options.cache === true ? {} : options.cache) : undefined,
    decode,
    maxBodyBytes: positiveIntegerOrInfinity('maxBodyBytes', options.maxBodyBytes ?? 16 * 1024 * 1024),
    now: optionalCallable('clock', options.clock) ?? (() => performance.now()),
    wallNow: optionalCallable('wallClock', options.wallClock) ?? Date.now,
    random: optionalCallable('random', options.random) ?? Math.random,
  };
}

function base(given: string | URL): URL {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw new TypeError('Expected baseUrl to be an absolute URL of http or https, got something else');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(
      `Expected baseUrl to be an absolute URL of http or https, got one of ${url.protocol}`,
    );
  }
  return url;
}

/** @throws TypeError when one is not as documented */
export function settleTimeouts(options: HttpTimeouts, others?: SettledTimeouts): SettledTimeouts {
  return {
    connectMs: limit('connectMs', options.connectMs ?? others?.connectMs ?? 5000),
    headersMs: limit('headersMs', options.headersMs ?? others?.headersMs ?? 15_000),
    bodyMs: limit('bodyMs', options.bodyMs ?? others?.bodyMs ?? 15_000),
    totalMs: limit('totalMs', options.totalMs ?? others?.totalMs ?? 30_000),
  };
}

function limit(name: string, value: number): number {
  return value === Infinity ? value : delayMs(`timeouts.${name}`, value);
}

function settleConnections(options: HttpConnectionOptions): SettledConnections {
  return {
    perOrigin: positiveInteger('connections.perOrigin', options.perOrigin ?? 10),
    pipelining: positiveInteger('connections.pipelining', options.pipelining ?? 1),
    http2: options.http2 ?? true,
    maxStreams: positiveInteger('connections.maxStreams', options.maxStreams ?? 100),
    maxQueue: positiveIntegerOrInfinity('connections.maxQueue', options.maxQueue ?? 10_000),
    maxOrigins: positiveInteger('connections.maxOrigins', options.maxOrigins ?? 100),
    keepAliveMs: delayMs('connections.keepAliveMs', options.keepAliveMs ?? 4000),
    tls: options.tls ?? {},
  };
}

function settleRetry(options: HttpRetryOptions): SettledRetry {
  const { ratio = 0.2, minPerSecond = 1, burst = 10 } = options.budget ?? {};
  const statuses = options.statuses ?? retriedStatuses;
  for (const status of statuses) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new TypeError(
        `Expected retry.statuses to be status codes from 400 to 599, got ${String(status)}`,
      );
    }
  }
  return {
    maxAttempts: positiveInteger('retry.maxAttempts', options.maxAttempts ?? 3),
    methods: new Set(
      (options.methods ?? idempotentMethods).map(method =>
        nonEmptyString('retry.methods', method).toUpperCase(),
      ),
    ),
    statuses: new Set(statuses),
    baseDelayMs: delayMs('retry.baseDelayMs', options.baseDelayMs ?? 100),
    maxDelayMs: delayMs('retry.maxDelayMs', options.maxDelayMs ?? 5000),
    maxRetryAfterMs: atLeastZero('retry.maxRetryAfterMs', options.maxRetryAfterMs ?? 30_000),
    budget: {
      ratio: atLeastZero('retry.budget.ratio', ratio),
      minPerSecond: atLeastZero('retry.budget.minPerSecond', minPerSecond),
      burst: nonNegativeInteger('retry.budget.burst', burst),
    },
  };
}

function settleCache(options: HttpCacheOptions): SettledCache {
  const maxBytes = positiveInteger('cache.maxBytes', options.maxBytes ?? 32 * 1024 * 1024);
  const heuristic = options.heuristic ?? 0;
  if (!(typeof heuristic === 'number' && heuristic >= 0 && heuristic <= 1)) {
    throw new TypeError(`Expected cache.heuristic to be a number from 0 to 1, got ${String(heuristic)}`);
  }
  return {
    shared: options.shared ?? true,
    maxEntries: positiveInteger('cache.maxEntries', options.maxEntries ?? 1000),
    maxBytes,
    maxEntryBytes: positiveInteger('cache.maxEntryBytes', options.maxEntryBytes ?? Math.ceil(maxBytes / 8)),
    heuristic,
  };
}

function atLeastZero(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw new TypeError(`Expected ${name} to be a number of zero or more, got ${String(value)}`);
}
