/** Bounds of what scrapers can make the process do, in milliseconds and numbers. */
export interface Limits {
  /** A collection that takes longer is answered with 500. */
  readonly collectMs: number;
  /** For the whole of a request to arrive. */
  readonly requestMs: number;
  /** A scraper that takes no byte for so long is cut off. */
  readonly stallMs: number;
  /** A connection may rest between scrapes; longer than the usual intervals, so that it is there for the next. */
  readonly idleMs: number;
  /** Scrapes under way move to their end this long when the endpoint closes. */
  readonly closeMs: number;
  readonly connections: number;
  /** Scrapes at once; each may hold a whole exposition for a slow reader. */
  readonly scrapes: number;
}

export const defaultLimits: Limits = {
  collectMs: 10_000,
  requestMs: 10_000,
  stallMs: 15_000,
  idleMs: 150_000,
  closeMs: 500,
  connections: 64,
  scrapes: 16,
};
