import type { SharedLook } from '../looks';
import type { Loading } from './loader';
import type { Reading } from './readings';

/** A lookup of a key that goes on, and the load that follows it where somebody asked for one. */
export interface Flight<V> {
  readonly reading: Reading;
  readonly look: Promise<SharedLook<V>>;
  loading: Loading<V> | undefined;
  /** Nothing more is to be begun in it. */
  over: boolean;
}

/** Lookups and loads that go on, by key, so that callers share them. */
export class Flights<V> {
  readonly #flights = new Map<string, Flight<V>>();

  get(key: string): Flight<V> | undefined {
    return this.#flights.get(key);
  }

  set(key: string, flight: Flight<V>): void {
    this.#flights.set(key, flight);
  }

  /** A write may have ended this flight's standing already, and a newer one may fly. */
  end(key: string, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  /** Nobody shares what goes on for this key, or for any where undefined, any more. */
  forget(key: string | undefined): void {
    if (key === undefined) this.#flights.clear();
    else this.#flights.delete(key);
  }
}
