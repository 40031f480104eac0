import { httpClientMetrics } from '../../catalogue/http';
import type { CounterCell, GaugeCell, HistogramCell } from '../../metrics/cells';
import type { Exemplar } from '../../metrics/exemplar';
import type { Instrument } from '../../metrics/instrument';
import type { MetricRegistry } from '../../metrics/registry';
import { methodName } from './vocabulary';

/** How a request ended. */
export interface Outcome {
  readonly status: number | undefined;
  /** Set when there was no whole response. */
  readonly error: string | undefined;
  readonly version: string;
}

type Place = { 'server.address': string; 'server.port': number | undefined };

export function clientInstruments(registry: MetricRegistry) {
  return {
    duration: registry.instrument(httpClientMetrics.duration),
    active: registry.instrument(httpClientMetrics.active),
    connections: registry.instrument(httpClientMetrics.connections),
    connectionDuration: registry.instrument(httpClientMetrics.connectionDuration),
    reused: registry.instrument(httpClientMetrics.reused),
    queue: registry.instrument(httpClientMetrics.queue),
  };
}

export type ClientInstruments = ReturnType<typeof clientInstruments>;

/** A host and port that the process calls: its series, and what shows whether it is still in use. */
export class ClientHost {
  /** `performance.now()` of the last request. */
  usedAt = 0;
  inFlight = 0;
  open = 0;
  /** Requests of undici that no connection took yet. */
  waiting = 0;
  readonly #place: Place;
  readonly #active: Map<string, CounterCell>[] = [new Map(), new Map()];
  readonly #durations: Map<string, Map<number, HistogramCell>>[] = [new Map(), new Map()];
  #connections: { active: CounterCell; idle: CounterCell } | undefined;
  #connectionDuration: HistogramCell | undefined;
  #reused: CounterCell | undefined;
  #queue: GaugeCell | undefined;

  constructor(
    address: string,
    port: number | undefined,
    readonly instruments: ClientInstruments,
  ) {
    this.#place = { 'server.address': address, 'server.port': port };
  }

  active(method: string, secure: boolean): CounterCell {
    const known = this.#active[secure ? 1 : 0]!;
    let cell = known.get(method);
    if (cell === undefined) {
      cell = this.instruments.active.with({
        ...this.#place,
        'http.request.method': methodName(method),
        'url.scheme': secure ? 'https' : 'http',
      });
      // Methods are the application's own text on the client, so only the known ones may be held on to.
      if (methodName(method) === method) known.set(method, cell);
    }
    return cell;
  }

  record(
    seconds: number,
    method: string,
    secure: boolean,
    { status, error, version }: Outcome,
    exemplar: Omit<Exemplar, 'value'> | undefined,
  ): void {
    const usual = error === undefined && status !== undefined && version === '1.1';
    const known = this.#durations[secure ? 1 : 0]!;
    let cell = usual ? known.get(method)?.get(status) : undefined;
    if (cell === undefined) {
      cell = this.instruments.duration.with({
        ...this.#place,
        'http.request.method': methodName(method),
        'http.response.status_code': status,
        'url.scheme': secure ? 'https' : 'http',
        'network.protocol.version': status === undefined ? undefined : version,
        'error.type': error ?? (status !== undefined && status >= 400 ? String(status) : undefined),
      });
      // Each measurement past the limit is to be counted as one, so the overflow series is looked up every time.
      if (usual && methodName(method) === method && cell.attributes['server.address'] !== undefined) {
        const byStatus = known.get(method) ?? new Map<number, HistogramCell>();
        known.set(method, byStatus.set(status, cell));
      }
    }
    cell.record(seconds, exemplar);
  }

  get connections(): { readonly active: CounterCell; readonly idle: CounterCell } {
    const state = 'http.connection.state';
    this.#connections ??= {
      active: this.instruments.connections.with({ ...this.#place, [state]: 'active' }),
      idle: this.instruments.connections.with({ ...this.#place, [state]: 'idle' }),
    };
    return this.#connections;
  }

  get connectionDuration(): HistogramCell {
    this.#connectionDuration ??= this.instruments.connectionDuration.with(this.#place);
    return this.#connectionDuration;
  }

  get reused(): CounterCell {
    this.#reused ??= this.instruments.reused.with(this.#place);
    return this.#reused;
  }

  get queue(): GaugeCell {
    this.#queue ??= this.instruments.queue.with(this.#place);
    return this.#queue;
  }

  /** Whether nothing of it is under way. */
  get idle(): boolean {
    return this.inFlight === 0 && this.open === 0 && this.waiting === 0;
  }

  /** Ends the series that say how things stand now. What was counted stays, as counters must not fall. */
  retire(): void {
    const { active, connections, queue } = this.instruments;
    for (const cells of this.#active) for (const cell of cells.values()) remove(active, cell);
    if (this.#connections !== undefined) {
      remove(connections, this.#connections.active);
      remove(connections, this.#connections.idle);
    }
    if (this.#queue !== undefined) remove(queue, this.#queue);
  }
}

function remove(instrument: Pick<Instrument<never>, 'remove'>, cell: CounterCell | GaugeCell): void {
  instrument.remove(cell as never);
}
