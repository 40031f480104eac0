import type { Instrument as Kind, Metric } from '../catalogue/define';
import { Instrument } from './instrument';

/** Reads sources into cells; called once per collection, before the cells are read. Must be quick. */
export type Reader = () => void;

/**
 * The agent's metrics: one instrument for each entry of the catalogue that a meter asked for.
 *
 * Meters add to cells as things happen, or register a reader that fills them when somebody collects.
 */
export class MetricRegistry {
  readonly #instruments = new Map<string, Instrument>();
  readonly #readers = new Set<Reader>();

  /**
   * @param cardinalityLimit series per metric, the overflow series included
   * @param onReaderError told of a reader that threw; the other readers run on
   */
  constructor(
    readonly cardinalityLimit: number,
    readonly onReaderError: (error: unknown) => void,
  ) {}

  instrument<Names extends string, K extends Kind>(metric: Metric<Names, K>): Instrument<Names, K> {
    const known = this.#instruments.get(metric.name);
    if (known !== undefined) return known as unknown as Instrument<Names, K>;
    const made = new Instrument(metric, Math.min(metric.limit ?? Infinity, this.cardinalityLimit));
    this.#instruments.set(metric.name, made as unknown as Instrument);
    return made;
  }

  /** Registers a reader; the returned function ends it. */
  onCollect(reader: Reader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** Lets every reader bring its cells up to date and gives all instruments. */
  read(): Iterable<Instrument> {
    for (const reader of this.#readers) {
      try {
        reader();
      } catch (error) {
        this.onReaderError(error);
      }
    }
    return this.#instruments.values();
  }

  /** Series held now, over all instruments. */
  get series(): number {
    let total = 0;
    for (const instrument of this.#instruments.values()) total += instrument.size;
    return total;
  }

  /** Measurements that went to an overflow series. */
  get overflowed(): number {
    let total = 0;
    for (const instrument of this.#instruments.values()) total += instrument.overflowed;
    return total;
  }
}
