import { AsyncLocalStorage } from 'node:async_hooks';
import type { QueryGroup } from './query-table';

/** A route that reads again and again with queries that differ only in their values, where one could read all. */
export interface NPlusOne {
  readonly route: string;
  /** The repeated query, normalised. */
  readonly query: string;
  /** What ran just before it was first run: most often the query that found what is then looked up one by one. */
  readonly after: string | undefined;
  /** Runs of the route in which it was repeated. */
  readonly runs: number;
  /** Most repetitions in one run. */
  readonly mostRepeats: number;
  /** When it was seen last, in milliseconds since 1970. */
  readonly lastMs: number;
}

/** Patterns that are kept; the one seen longest ago makes room. */
const mostPatterns = 100;
/** Different queries of one run that are counted. */
const mostQueries = 200;

interface Counted {
  times: number;
  readonly after: QueryGroup | undefined;
}

class Run {
  readonly counts = new Map<QueryGroup, Counted>();
  last: QueryGroup | undefined;
  constructor(public route: string | undefined) {}
}

type Pattern = { -readonly [K in keyof NPlusOne]: NPlusOne[K] };

/** Which queries run within which route. Until the first route runs it costs a comparison per query. */
export class Routes {
  readonly #after: number;
  readonly #wallClock: () => number;
  readonly #patterns = new Map<string, Pattern>();
  #context: AsyncLocalStorage<Run> | undefined;

  constructor(nPlusOneAfter: number, wallClock: () => number = Date.now) {
    this.#after = nPlusOneAfter;
    this.#wallClock = wallClock;
  }

  /**
   * Runs `fn` as one run of a route, up to the end of the promise that it gives, where it gives one. A query of knex'
   * runs when somebody waits for it, so that is done here, within the route and once.
   */
  run<R>(route: string, fn: () => R): R | Promise<Awaited<R>> {
    const run = new Run(route);
    let result: R | Promise<Awaited<R>>;
    try {
      result = this.enter(run, () => {
        const given = fn();
        const isPromise = typeof (given as { then?: unknown } | null | undefined)?.then === 'function';
        return isPromise ? Promise.resolve(given) : given;
      });
    } catch (error) {
      this.end(run);
      throw error;
    }
    if (result instanceof Promise) {
      const ended = (): void => this.end(run);
      result.then(ended, ended);
    } else this.end(run);
    return result;
  }

  /** As {@link run}, for whoever knows the route's name and its end only later. */
  begin<R>(fn: (end: (route: string) => void) => R): R {
    const run = new Run(undefined);
    return this.enter(run, () =>
      fn(route => {
        run.route = route;
        this.end(run);
      }),
    );
  }

  enter<R>(run: Run, fn: () => R): R {
    this.#context ??= new AsyncLocalStorage<Run>();
    return this.#context.run(run, fn);
  }

  /** A query that begins now; gives the route it is in. */
  note(group: QueryGroup): string | undefined {
    const run = this.#context?.getStore();
    if (run === undefined) return undefined;
    const counted = run.counts.get(group);
    if (counted !== undefined) counted.times++;
    else if (run.counts.size < mostQueries) run.counts.set(group, { times: 1, after: run.last });
    run.last = group;
    return run.route;
  }

  patterns(): NPlusOne[] {
    return [...this.#patterns.values()].map(pattern => ({ ...pattern }));
  }

  end(run: Run): void {
    for (const [{ query, isRead }, { times, after }] of run.counts) {
      if (!isRead || times < this.#after) continue;
      const route = run.route ?? '';
      const key = `${route}\n${query}`;
      const known = this.#patterns.get(key);
      this.#patterns.delete(key);
      this.#patterns.set(key, {
        route,
        query,
        after: after?.query,
        runs: (known?.runs ?? 0) + 1,
        mostRepeats: Math.max(known?.mostRepeats ?? 0, times),
        lastMs: this.#wallClock(),
      });
      if (this.#patterns.size > mostPatterns) this.#patterns.delete(this.#patterns.keys().next().value!);
    }
    run.counts.clear();
  }
}
