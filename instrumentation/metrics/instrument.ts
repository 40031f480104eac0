import type { AttributeValue, Instrument as Kind, Metric } from '../catalogue/define';
import { type Cell, CounterCell, GaugeCell, HistogramCell, type SeriesAttributes } from './cells';

export type CellOf<K extends Kind> = K extends 'histogram'
  ? HistogramCell
  : K extends 'counter' | 'updowncounter'
    ? CounterCell
    : GaugeCell;

/** The attributes of one measurement; those left out or `undefined` are not on the series. */
export type AttributesOf<Names extends string> = { readonly [N in Names]?: AttributeValue | undefined };

/** What OpenTelemetry's cardinality limit asks for in place of the attributes of too many series. */
const overflowAttributes: SeriesAttributes = Object.freeze({ 'otel.metric.overflow': true });

type Level = Map<AttributeValue | undefined, Level | Cell>;

/**
 * All series of one metric of the catalogue.
 *
 * A series is found by one map per attribute, which takes tens of nanoseconds and makes no garbage; code that
 * measures the same series again and again keeps its cell and pays for an addition only.
 */
export class Instrument<Names extends string = string, K extends Kind = Kind> {
  /** Measurements that came when the limit was reached. */
  overflowed = 0;
  readonly #root: Level = new Map();
  readonly #names: readonly Names[];
  readonly #cells = new Set<CellOf<K>>();
  #watchers = 0;
  #overflow: CellOf<K> | undefined;

  constructor(
    readonly metric: Metric<Names, K>,
    readonly limit: number,
  ) {
    this.#names = metric.attributes.map(attribute => attribute.name);
  }

  /** The series with these attributes, made when it is new; past the limit the overflow series. */
  with(attributes: AttributesOf<Names>): CellOf<K> {
    let level: Level = this.#root;
    const names = this.#names;
    for (let i = 0; i < names.length - 1; i++) {
      const value = attributes[names[i]!];
      let next = level.get(value) as Level | undefined;
      if (next === undefined) {
        // One place less: the overflow series counts against the limit, as the specification has it.
        if (this.#cells.size >= this.limit - 1) return this.#overflowCell();
        next = new Map();
        level.set(value, next);
      }
      level = next;
    }
    const last = names.length === 0 ? undefined : attributes[names[names.length - 1]!];
    const cell = level.get(last) as CellOf<K> | undefined;
    if (cell !== undefined) return cell;
    if (this.#cells.size >= this.limit - 1 && names.length > 0) return this.#overflowCell();
    const made = this.#make(this.#attributes(attributes));
    level.set(last, made);
    this.#cells.add(made);
    return made;
  }

  /** Ends a series: its pool was closed, its thread is gone. */
  remove(cell: CellOf<K>): void {
    if (!this.#cells.delete(cell)) return;
    const path = this.#names.map(name => cell.attributes[name]);
    const levels: Level[] = [this.#root];
    for (const value of path.slice(0, -1)) levels.push(levels[levels.length - 1]!.get(value) as Level);
    // Empty levels go too, so that attributes that come and go hold no memory.
    for (let i = levels.length - 1; i >= 0; i--) {
      levels[i]!.delete(path[i]);
      if (levels[i]!.size > 0) break;
    }
  }

  /**
   * Has the extremes of every series kept, those to come included; of a histogram only.
   *
   * @returns what to ask a cell's `takeExtremes` with
   */
  watchExtremes(): number {
    for (const cell of this.cells()) if (cell instanceof HistogramCell) cell.watchExtremes();
    return this.#watchers++;
  }

  get size(): number {
    return this.#cells.size + (this.#overflow === undefined ? 0 : 1);
  }

  *cells(): IterableIterator<CellOf<K>> {
    yield* this.#cells;
    if (this.#overflow !== undefined) yield this.#overflow;
  }

  #overflowCell(): CellOf<K> {
    this.overflowed++;
    this.#overflow ??= this.#make(overflowAttributes);
    return this.#overflow;
  }

  #attributes(given: AttributesOf<Names>): SeriesAttributes {
    const attributes: Record<string, AttributeValue> = {};
    for (const name of this.#names) {
      const value = given[name];
      if (value !== undefined) attributes[name] = value;
    }
    return Object.freeze(attributes);
  }

  #make(attributes: SeriesAttributes): CellOf<K> {
    const { instrument, buckets = [] } = this.metric;
    if (instrument === 'histogram') {
      const cell = new HistogramCell(attributes, buckets);
      for (let i = 0; i < this.#watchers; i++) cell.watchExtremes();
      return cell as CellOf<K>;
    }
    if (instrument === 'gauge') return new GaugeCell(attributes) as CellOf<K>;
    return new CounterCell(attributes) as CellOf<K>;
  }
}
