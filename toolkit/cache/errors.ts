/** A tier of a cache. */
export type CacheTier = 'l1' | 'l2' | 'l3';

/** Redis did not answer within the tier's timeout. */
export class CacheTierTimeoutError extends Error {
  readonly code = 'CACHE_TIER_TIMEOUT';
  override readonly name = 'CacheTierTimeoutError';
  constructor(
    readonly cache: string,
    readonly tier: CacheTier,
    readonly timeoutMs: number,
  ) {
    super(`Expected ${tier} of the cache "${cache}" to answer within ${timeoutMs} ms`);
  }
}

/** The Redis client is not connected. */
export class CacheTierUnavailableError extends Error {
  readonly code = 'CACHE_TIER_UNAVAILABLE';
  override readonly name = 'CacheTierUnavailableError';
  constructor(
    readonly cache: string,
    readonly tier: CacheTier,
  ) {
    super(
      `Expected the client of ${tier} of the cache "${cache}" to be ready, got one that is not connected`,
    );
  }
}

/** Under a key of the cache is something that no cache wrote, or that a cache with another serialiser did. */
export class CacheEntryUnreadableError extends Error {
  readonly code = 'CACHE_ENTRY_UNREADABLE';
  override readonly name = 'CacheEntryUnreadableError';
  constructor(what: string, options?: ErrorOptions) {
    super(`Expected an entry of a cache, got ${what}`, options);
  }
}

/** A package that an option asks for is not installed. */
export class CachePackageMissingError extends Error {
  readonly code = 'CACHE_PACKAGE_MISSING';
  override readonly name = 'CachePackageMissingError';
  constructor(
    /** The package to install. */
    readonly packageName: string,
    options?: ErrorOptions,
  ) {
    super(`Expected the package ${packageName} to be installed, which the cache's options ask for`, options);
  }
}

/** The cache was closed, and takes no more writes that would have to be written back. */
export class CacheClosedError extends Error {
  readonly code = 'CACHE_CLOSED';
  override readonly name = 'CacheClosedError';
  constructor(readonly cache: string) {
    super(`Expected the cache "${cache}" to be open, got one that was closed`);
  }
}

/** As many writes wait to be written back as may, and none was in the time that a caller waits. It is not accepted. */
export class CacheBacklogError extends Error {
  readonly code = 'CACHE_BACKLOG';
  override readonly name = 'CacheBacklogError';
  constructor(
    readonly cache: string,
    readonly limit: number,
    readonly timeoutMs: number,
  ) {
    super(`Expected room among the ${limit} writes to be written back by "${cache}" within ${timeoutMs} ms`);
  }
}
