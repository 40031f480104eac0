export type { HistogramSnapshot } from '../../histogram';
export { Compression, withoutCompression } from './compression/compression';
export { availableEncodings } from './compression/encodings';
export type { Encoding } from './compression/names';
export type { CompressionOptions } from './compression/options';
export type { CompressionStats, EncodingStats, SkipReason } from './compression/stats';
export type { CacheControlDirectives } from './conditional/cache-control';
export { cacheControl } from './conditional/cache-control';
export type { EntityTagOptions, EntityTagStats } from './conditional/entity-tags';
export { checkPreconditions, EntityTags, entityTag } from './conditional/entity-tags';
export type { ConditionalRequest, ConditionResult, Validators } from './conditional/preconditions';
export { evaluatePreconditions } from './conditional/preconditions';
export type { ConnectionPoolMonitorOptions, Watchable } from './connections/monitor';
export { ConnectionPoolMonitor } from './connections/monitor';
export type { ConnectionPoolStats } from './connections/stats';
export type { UndiciDispatcher } from './connections/watch-undici';
export type { EndpointAnalyzerOptions, RecordedRequest } from './endpoints/analyzer';
export { EndpointAnalyzer } from './endpoints/analyzer';
export type { EndpointRecommendation, EndpointRecommendationCode, EndpointReport } from './endpoints/report';
export type { EndpointStats, ErrorClass, Times } from './endpoints/stats';
export type {
  FastifyHook,
  FastifyLike,
  FastifyPlugin,
  HttpRequest as ServerHttpRequest,
  HttpResponse as ServerHttpResponse,
  RouteOf,
} from './http-part';
export { HttpPart } from './http-part';
export type { CloseHttp2Options, Http2Handler } from './http2/http2-server';
export { createHttp2Server, Http2Server } from './http2/http2-server';
export type { FloodLimits, Http2ServerOptions } from './http2/options';
export type { FloodKind, Http2ServerStats } from './http2/stats';
export type { PerformanceOptions, PerformanceStats, SlowRequest } from './performance/performance';
export { PerformanceMonitor, timingOf } from './performance/performance';
export type { TimingMark } from './performance/server-timing';
export { ResponseTiming, serverTiming } from './performance/server-timing';
export { traceIdOf } from './performance/trace-id';
