/**
 * The one place where the toolkit and an agent meet: a registry of live sources on `globalThis`. A pool, lock or cache
 * registers itself; whoever watches the process reads `stats()` when it wants to know, and nothing runs in between.
 *
 * The registry is found by a symbol of the global registry, so that two copies of this package in one process share
 * it. Copies may differ in version: the layout of {@link Registry} only ever gains properties, and every source
 * carries the number of its statistics' layout, so that a reader can pass over one it does not know.
 *
 * Each thread has a registry of its own. The agent reads that of the main thread only.
 */

/** Something alive in this process whose statistics can be read at any time. */
export interface Source<Stats extends object = object> {
  /** What it is, such as `cache` or `object_pool`. Decides the layout of the statistics. */
  readonly kind: string;
  /** The name its owner gave it. Not unique: readers add up sources of one kind and name. */
  readonly name: string;
  /** Layout of the statistics within the kind. Grows when a field changes meaning or goes, not when one is added. */
  readonly layout: number;
  /** A snapshot of counters since creation and of present sizes. Cheap, synchronous, and must not throw. */
  stats(): Stats;
}

/** Told of a source that has just left the registry; its `stats()` can be read for the last time. */
export type SourceEndListener = (source: Source) => void;

interface Registry {
  readonly layout: 1;
  readonly sources: Set<Source>;
  /** Absent where an older copy of the package made the registry. */
  endListeners?: Set<SourceEndListener>;
}

const registryKey = Symbol.for('otel-vitals.sources');

function registry(): Registry {
  const holder = globalThis as { [registryKey]?: Registry };
  const present = holder[registryKey];
  if (present !== undefined) return present;
  const created: Registry = { layout: 1, sources: new Set() };
  // Not enumerable, so that an application that walks its globals does not meet it; fixed, so that none replaces it.
  Object.defineProperty(globalThis, registryKey, { value: created });
  return created;
}

const dropped = new FinalizationRegistry<() => void>(end => end());

/**
 * Makes `source` visible to whoever reads the registry, until it is unregistered. Readers get its last statistics
 * then, so that nothing that was counted is lost.
 *
 * @param owner what the application holds, such as the pool. Once the application has dropped it without closing it
 *   and it was collected as garbage, the source is unregistered by itself. For that, `source` must hold the counters
 *   it reads and nothing that may lead to `owner`, such as pooled objects or callbacks of the application's: the
 *   registry would else keep it alive for ever.
 * @returns a function that unregisters it; calling it again does nothing
 */
export function registerSource<Stats extends object>(source: Source<Stats>, owner?: object): () => void {
  const { sources } = registry();
  sources.add(source);
  const end = (): void => {
    if (!sources.delete(source)) return;
    for (const listener of registry().endListeners ?? []) {
      try {
        listener(source);
      } catch {
        // Whoever watches must not break what is closed.
      }
    }
  };
  if (owner === undefined) return end;
  dropped.register(owner, end, source);
  return () => {
    dropped.unregister(source);
    end();
  };
}

/**
 * The sources alive now, of one kind and layout where given.
 *
 * @param kind only sources of this kind
 * @param layout only sources whose statistics have this layout
 */
export function liveSources<Stats extends object = object>(kind?: string, layout?: number): Source<Stats>[] {
  const found: Source<Stats>[] = [];
  for (const source of registry().sources) {
    if (kind !== undefined && source.kind !== kind) continue;
    if (layout !== undefined && source.layout !== layout) continue;
    found.push(source as Source<Stats>);
  }
  return found;
}

/** Calls `listener` for every source that leaves the registry, of whatever kind. The result ends that. */
export function onSourceEnd(listener: SourceEndListener): () => void {
  const present = registry();
  present.endListeners ??= new Set();
  const { endListeners } = present;
  endListeners.add(listener);
  return () => {
    endListeners.delete(listener);
  };
}
