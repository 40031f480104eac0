import { httpServerMetrics } from '../../catalogue/http';
import type { CounterCell, HistogramCell } from '../../metrics/cells';
import type { AttributesOf, Instrument } from '../../metrics/instrument';
import type { MetricRegistry } from '../../metrics/registry';
import { methodName } from './vocabulary';

/** The cells that one kind of request ends in, and of what kind it is. */
export interface ServerCells {
  /** `undefined` past the limit of series, where a kind has no cells of its own. */
  readonly status: number | undefined;
  readonly method: string | undefined;
  readonly route: string | undefined;
  readonly version: string;
  readonly duration: HistogramCell;
  readonly requestSize: HistogramCell;
  readonly responseSize: HistogramCell;
}

type Names = (typeof httpServerMetrics.duration)['attributes'][number]['name'];

/** What is known of a request when it starts; frameworks may rewrite the request's own fields later. */
export interface ServerRequest {
  readonly method: string | undefined;
  readonly version: string;
  readonly secure: boolean;
}

/** Finds the cells of HTTP requests by nested maps: no key is built and nothing is allocated once a kind is known. */
export interface ServerSeries {
  /** Requests in flight of a method. */
  active(method: string | undefined, secure: boolean): CounterCell;
  /**
   * Where a request that was answered is recorded.
   *
   * @param last where the one before it on its connection was, which most often is the same
   */
  answered(
    request: ServerRequest,
    status: number,
    route: string | undefined,
    last: ServerCells | undefined,
  ): ServerCells;
  /** Where a request that ended without its whole response is recorded; the status only once it was sent. */
  failed(
    request: ServerRequest,
    status: number | undefined,
    route: string | undefined,
    error: string,
  ): HistogramCell;
  slow(method: string | undefined, route: string | undefined): CounterCell;
}

export function createServerSeries(registry: MetricRegistry): ServerSeries {
  const duration = registry.instrument(httpServerMetrics.duration);
  const requestSize = registry.instrument(httpServerMetrics.requestSize);
  const responseSize = registry.instrument(httpServerMetrics.responseSize);
  const active = registry.instrument(httpServerMetrics.active);
  const slow = registry.instrument(httpServerMetrics.slow);

  const activeCells: Map<string | undefined, CounterCell>[] = [new Map(), new Map()];
  // By scheme and version, method, route and status, in this order: the first are few and the hit is near.
  const cells: Map<string | undefined, Map<string | undefined, Map<number, ServerCells>>>[] = Array.from(
    { length: 4 },
    () => new Map(),
  );

  const attributesOf = (
    { method, version, secure }: ServerRequest,
    status: number | undefined,
    route: string | undefined,
    error: string | undefined,
  ): AttributesOf<Names> => ({
    'http.request.method': methodName(method),
    'http.response.status_code': status,
    'http.route': route,
    'url.scheme': secure ? 'https' : 'http',
    'network.protocol.version': version,
    'error.type': error,
  });

  return {
    active(method, secure) {
      const known = activeCells[secure ? 1 : 0]!;
      const cell = known.get(method);
      if (cell !== undefined) return cell;
      const made = active.with({
        'http.request.method': methodName(method),
        'url.scheme': secure ? 'https' : 'http',
      });
      known.set(method, made);
      return made;
    },
    answered(request, status, route, last) {
      const { method, version } = request;
      if (
        last?.status === status &&
        last.route === route &&
        last.method === method &&
        last.version === version
      )
        return last;
      const flavour = (request.secure ? 2 : 0) + (version === '1.1' ? 1 : 0);
      const found = cells[flavour]!.get(method)?.get(route)?.get(status);
      if (found !== undefined) return found;
      const error = status >= 500 ? String(status) : undefined;
      const attributes = attributesOf(request, status, route, error);
      const made: ServerCells = {
        status,
        method,
        route,
        version,
        duration: duration.with(attributes),
        requestSize: requestSize.with(attributes),
        responseSize: responseSize.with(attributes),
      };
      // Past the limit each measurement must be counted as overflow, and a cache of what has no series would grow.
      if (isOverflow(duration, made.duration)) return { ...made, status: undefined };
      const byRoute = ensure(cells[flavour]!, method, () => new Map());
      ensure(byRoute, route, () => new Map()).set(status, made);
      return made;
    },
    failed: (request, status, route, error) => duration.with(attributesOf(request, status, route, error)),
    slow: (method, route) => slow.with({ 'http.request.method': methodName(method), 'http.route': route }),
  };
}

function isOverflow(instrument: Instrument<Names, 'histogram'>, cell: HistogramCell): boolean {
  return instrument.overflowed > 0 && cell.attributes['otel.metric.overflow'] === true;
}

function ensure<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
