import { callable, delayMs, listener, nonNegativeInteger } from '../../../options';
import { expressRoute, HttpPart, type HttpRequest, type HttpResponse, type RouteOf } from '../http-part';
import { type Decision, ResponseTap } from '../response-tap';
import { ResponseTiming, serverTiming, type TimingMark } from './server-timing';
import { traceIdOf } from './trace-id';

/** A request that took too long. */
export interface SlowRequest {
  readonly method: string;
  /** Pattern of the route; absent where there is none. */
  readonly route?: string | undefined;
  /** Path, without the query, which may hold secrets. */
  readonly path: string;
  readonly status: number;
  /** Until the response was written, or the client went away. */
  readonly ms: number;
  readonly aborted: boolean;
  /** Of the `traceparent` header; absent where there is none. */
  readonly traceId?: string | undefined;
  /** The application's own steps. */
  readonly marks: readonly TimingMark[];
}

/** Options of {@link PerformanceMonitor}. */
export interface PerformanceOptions {
  /** A request that takes as long is slow. @default 1000 */
  readonly slowMs?: number;
  /**
   * Whether the response gets a `Server-Timing` header. Browsers show it in their tools, and everybody who can read the
   * response can read it: in production say yes to your own people only.
   *
   * @default false
   */
  readonly serverTiming?: boolean | ((request: HttpRequest) => boolean);
  /** Takes a line about each slow request, as far as `linesPerMinute` allows. @default to stderr */
  readonly log?: (line: string) => void;
  /** More lines are counted, and the next says how many. 0 is none. @default 60 */
  readonly linesPerMinute?: number;
  /** Told of each slow request. What it throws is dropped. */
  readonly onSlow?: (request: SlowRequest) => void;
}

/** Statistics of a {@link PerformanceMonitor} since it was made: `slow = logged + suppressed`. */
export interface PerformanceStats {
  readonly requests: number;
  readonly slow: number;
  readonly logged: number;
  readonly suppressed: number;
}

const timings = new WeakMap<HttpResponse, ResponseTiming>();

/**
 * The steps of a response, to add to.
 *
 *     const rows = await timingOf(response).measure('db', () => db('products'));
 *
 * @param response that of `node:http`; in fastify `reply.raw`
 */
export function timingOf(response: HttpResponse): ResponseTiming {
  let timing = timings.get(response);
  if (timing === undefined) {
    timing = new ResponseTiming();
    timings.set(response, timing);
  }
  return timing;
}

/** Says in `Server-Timing` where the time of a response went, and logs requests that took too long. */
export class PerformanceMonitor extends HttpPart {
  readonly #slowMs: number;
  readonly #exposes: (request: HttpRequest) => boolean;
  readonly #log: (line: string) => void;
  readonly #linesPerMinute: number;
  readonly #onSlow: (request: SlowRequest) => void;
  readonly #attached = new WeakMap<HttpResponse, number>();
  readonly #stats = { requests: 0, slow: 0, logged: 0, suppressed: 0 };
  #minute = 0;
  #lines = 0;
  #unsaid = 0;
  readonly #stage = {
    order: 30,
    onHead: (tap: ResponseTap): Decision => {
      this.#onHead(tap);
      return undefined;
    },
    onBodiless: (tap: ResponseTap): void => this.#onHead(tap),
  };

  /** @throws TypeError when an option is not as documented */
  constructor(options: PerformanceOptions = {}) {
    super();
    const { serverTiming: exposes = false } = options;
    this.#slowMs = delayMs('slowMs', options.slowMs ?? 1000);
    this.#exposes = typeof exposes === 'boolean' ? () => exposes : callable('serverTiming', exposes);
    this.#log =
      options.log === undefined
        ? line => void process.stderr.write(`${line}\n`)
        : listener('log', options.log);
    this.#linesPerMinute = nonNegativeInteger('linesPerMinute', options.linesPerMinute ?? 60);
    this.#onSlow = listener('onSlow', options.onSlow);
  }

  override attach(request: HttpRequest, response: HttpResponse, route?: RouteOf): void {
    if (this.#attached.has(response)) return;
    const began = performance.now();
    this.#attached.set(response, began);
    ResponseTap.add(request, response, this.#stage);
    response.once('close', () => {
      this.#stats.requests++;
      const ms = performance.now() - began;
      if (ms >= this.#slowMs) this.#slow(request, response, ms, route);
    });
  }

  /** Counters since it was made. */
  stats(): PerformanceStats {
    return { ...this.#stats };
  }

  #onHead({ request, response }: ResponseTap): void {
    const timing = timings.get(response);
    timing?.sent();
    if (!this.#exposes(request)) return;
    const marks = [
      ...(timing?.marks() ?? []),
      { name: 'total', ms: performance.now() - this.#attached.get(response)! },
    ];
    const present = response.getHeader('server-timing');
    const ours = serverTiming(marks);
    response.setHeader('server-timing', present === undefined ? ours : `${String(present)}, ${ours}`);
  }

  #slow(request: HttpRequest, response: HttpResponse, ms: number, route: RouteOf | undefined): void {
    const slow: SlowRequest = {
      method: request.method ?? '',
      route: route?.() ?? expressRoute(request),
      path: (request.url ?? '').split('?', 1)[0]!,
      status: response.statusCode,
      ms,
      aborted: !response.writableFinished,
      traceId: traceIdOf(request.headers['traceparent']),
      marks: timings.get(response)?.marks() ?? [],
    };
    this.#stats.slow++;
    this.#onSlow(slow);
    const minute = Math.floor(performance.now() / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#lines = 0;
    }
    if (this.#lines >= this.#linesPerMinute) {
      this.#stats.suppressed++;
      this.#unsaid++;
      return;
    }
    this.#lines++;
    this.#stats.logged++;
    this.#log(lineOf(slow, this.#unsaid));
    this.#unsaid = 0;
  }
}

function lineOf(
  { method, route, path, status, ms, aborted, traceId, marks }: SlowRequest,
  unsaid: number,
): string {
  const parts = [
    `slow request: ${method} ${route ?? printable(path)} took ${Math.round(ms)} ms`,
    aborted ? 'aborted by the client' : `status ${status}`,
    ...(traceId === undefined ? [] : [`trace ${traceId}`]),
    ...(marks.length === 0 ? [] : [`steps ${printable(serverTiming(marks))}`]),
    ...(unsaid === 0 ? [] : [`${unsaid} more were not logged`]),
  ];
  return parts.join(', ');
}

/** A path may be anything, also what looks like another line. */
function printable(text: string): string {
  return text.slice(0, 500).replace(/[^\x20-\x7e]/g, '?');
}
