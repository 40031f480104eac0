import { delayMs, nonEmptyString, optionalCallable, positiveInteger } from '../../../options';
import { registerSource } from '../../../sources';
import { expressRoute, HttpPart, type HttpRequest, type HttpResponse, type RouteOf } from '../http-part';
import { Endpoint } from './endpoint';
import { type EndpointReport, isSlow, otherEndpoint, reportOf } from './report';
import { type EndpointStats, type ErrorClass, endpointSource } from './stats';

/** Options of {@link EndpointAnalyzer}. */
export interface EndpointAnalyzerOptions {
  /** Names it in statistics, metrics and findings. */
  readonly name: string;
  /** A request that takes as long is slow. @default 1000 */
  readonly slowMs?: number;
  /** Endpoints that are told apart; those past them are one, `_OTHER`. @default 100 */
  readonly maxEndpoints?: number;
  /**
   * The pattern of the route that answered; asked for when the response has ended. It must have few values: never the
   * path itself.
   *
   * @default that of express or fastify; `(no route)` where there is none
   */
  readonly route?: (request: HttpRequest) => string | undefined;
}

/** How a request that is recorded by hand ended. */
export interface RecordedRequest {
  /** Status that it was answered with. */
  readonly status?: number;
  /** What it failed with; it then counts as an error of the server. */
  readonly error?: unknown;
  readonly aborted?: boolean;
}

const methods = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
]);

/** Counts and times requests by endpoint, method and route, and says which are slow or fail. */
export class EndpointAnalyzer extends HttpPart {
  readonly name: string;
  readonly #slowMs: number;
  readonly #maxEndpoints: number;
  readonly #route: ((request: HttpRequest) => string | undefined) | undefined;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #ends: (() => void)[] = [];
  readonly #attached = new WeakSet<HttpResponse>();
  #closed = false;

  /** @throws TypeError when an option is not as documented */
  constructor({ name, slowMs = 1000, maxEndpoints = 100, route }: EndpointAnalyzerOptions) {
    super();
    this.name = nonEmptyString('name', name);
    this.#slowMs = delayMs('slowMs', slowMs);
    this.#maxEndpoints = positiveInteger('maxEndpoints', maxEndpoints);
    this.#route = optionalCallable('route', route);
  }

  override attach(request: HttpRequest, response: HttpResponse, route?: RouteOf): void {
    if (this.#attached.has(response)) return;
    this.#attached.add(response);
    const began = performance.now();
    response.once('close', () => {
      const ms = performance.now() - began;
      const { method = '' } = request;
      const named = this.#named(request) ?? route?.() ?? expressRoute(request) ?? '(no route)';
      this.record(`${methods.has(method) ? method : otherEndpoint} ${named}`, ms, {
        status: response.statusCode,
        aborted: !response.writableFinished,
      });
    });
  }

  /**
   * Records a request by hand, such as a call to another service.
   *
   * @param endpoint what was asked for; one of few values
   * @param ms how long it took
   */
  record(endpoint: string, ms: number, { status = 200, error, aborted = false }: RecordedRequest = {}): void {
    if (typeof ms !== 'number' || !(ms >= 0 && ms < Infinity)) {
      throw new TypeError(`Expected ms to be a number of milliseconds of zero or more, got ${String(ms)}`);
    }
    let failed: ErrorClass | undefined;
    if (aborted) failed = 'aborted';
    else if (error !== undefined || status >= 500) failed = 'server_error';
    else if (status >= 400) failed = 'client_error';
    this.#endpoint(nonEmptyString('endpoint', endpoint)).record(ms, failed);
  }

  /** By endpoint, in the order in which they were first asked for. */
  stats(): EndpointStats[] {
    return [...this.#endpoints.values()].map(endpoint => endpoint.stats());
  }

  /** Those of which more than one of twenty requests took `slowMs` or longer; or, by a time given, in the mean or at p95. */
  slow(thresholdMs?: number): EndpointStats[] {
    const all = this.stats();
    if (thresholdMs === undefined) return all.filter(isSlow).toSorted((a, b) => b.p95Ms - a.p95Ms);
    delayMs('thresholdMs', thresholdMs);
    return all
      .filter(({ count, meanMs, p95Ms }) => count > 0 && (meanMs >= thresholdMs || p95Ms >= thresholdMs))
      .toSorted((a, b) => b.p95Ms - a.p95Ms);
  }

  /** All of it, with what to do. */
  report(): EndpointReport {
    return reportOf(this.name, this.stats());
  }

  /** Takes it out of the metrics. It goes on counting. */
  close(): void {
    this.#closed = true;
    for (const end of this.#ends.splice(0)) end();
  }

  #named(request: HttpRequest): string | undefined {
    try {
      return this.#route?.(request);
    } catch {
      // The application's name of a route is no reason to end its process.
      return '(unnamed)';
    }
  }

  #endpoint(name: string): Endpoint {
    const present = this.#endpoints.get(name);
    if (present !== undefined) return present;
    const isPast = this.#endpoints.size >= this.#maxEndpoints && name !== otherEndpoint;
    if (isPast) return this.#endpoint(otherEndpoint);
    const endpoint = new Endpoint(name, this.#slowMs, Date.now);
    this.#endpoints.set(name, endpoint);
    if (!this.#closed) {
      // Each is a source of its own: so that readers need not know how many there are.
      const source = { ...endpointSource, name: this.name, stats: () => endpoint.stats() };
      this.#ends.push(registerSource(source, this));
    }
    return endpoint;
  }
}
