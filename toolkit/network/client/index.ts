export type { HistogramSnapshot } from '../../histogram';
export type { HttpConnectionStats } from './books';
export type { HttpCallFacts, HttpPhase, HttpTimeoutKind } from './errors';
export {
  HttpAbortedError,
  HttpBodyTooLargeError,
  HttpClientClosedError,
  HttpConnectionError,
  HttpDecodingError,
  HttpJsonError,
  HttpOriginLimitError,
  HttpQueueFullError,
  HttpStatusError,
  HttpTimeoutError,
  UndiciMissingError,
} from './errors';
export type { CloseHttpClientOptions } from './http-client';
export { HttpClient } from './http-client';
export type {
  HttpCacheOptions,
  HttpClientOptions,
  HttpConnectionOptions,
  HttpHeaders,
  HttpRequestBody,
  HttpRequestOptions,
  HttpRetryOptions,
  HttpTimeouts,
  RetryBudgetOptions,
} from './options';
export type { HttpStreamResponse } from './response';
export { HttpResponse } from './response';
export type {
  HttpCacheResult,
  HttpCacheStats,
  HttpClientStats,
  HttpOriginStats,
  HttpOutcome,
} from './stats';
