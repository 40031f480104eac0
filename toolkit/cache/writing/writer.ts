import type { Draft } from '../draft';
import type { CacheSource, SettledCacheOptions } from '../options';
import type { Tiers } from '../tiers';
import { KeyedQueue } from './keyed-queue';
import { WriteBack } from './write-back';

/** How a cache's writes reach its source and its tiers. */
export interface Writer<V> {
  set(key: string, draft: Draft<V>): Promise<void>;
  delete(key: string): Promise<void>;
  /** Where writes reach the source later. */
  readonly back?: WriteBack<V>;
}

/** The writer of the cache's write mode. */
export function createWriter<V>(options: SettledCacheOptions<V>, tiers: Tiers<V>): Writer<V> {
  const { source, writeMode } = options;
  if (source === undefined) {
    return { set: (key, draft) => tiers.write(key, draft), delete: key => tiers.erase(key) };
  }
  return writeMode === 'back' ? writeBack(options, source, tiers) : writeNow(source, tiers, writeMode);
}

/** The source first; what it refuses may be there in part, so that the tiers must not claim to know. */
function writeNow<V>(source: CacheSource<V>, tiers: Tiers<V>, writeMode: 'through' | 'around'): Writer<V> {
  const queue = new KeyedQueue();
  const after = (
    key: string,
    write: (() => unknown) | undefined,
    then: () => Promise<void>,
  ): Promise<void> =>
    write === undefined
      ? then()
      : tiers.writing(key, () =>
          queue.run(key, async () => {
            try {
              await write();
            } catch (error) {
              await tiers.erase(key);
              throw error;
            }
            await then();
          }),
        );
  return {
    set: (key, draft) =>
      after(key, source.write && (() => source.write!(key, draft.value as V)), () =>
        writeMode === 'around' ? tiers.erase(key) : tiers.write(key, draft),
      ),
    delete: key => after(key, source.remove && (() => source.remove!(key)), () => tiers.erase(key)),
  };
}

/** The tiers now, and the source later. */
function writeBack<V>(options: SettledCacheOptions<V>, source: CacheSource<V>, tiers: Tiers<V>): Writer<V> {
  const { name, onError, random } = options;
  const back = new WriteBack<V>(
    options.writeBack,
    {
      cache: name,
      async write(key, value) {
        if (value === undefined) await source.remove?.(key);
        else await source.write!(key, value);
      },
      written: (key, version) => tiers.settle(key, version),
      onError,
    },
    random,
  );
  return {
    back,
    async set(key, draft) {
      await back.accept(key, draft.value, draft.version);
      await tiers.write(key, draft);
    },
    async delete(key) {
      if (source.remove !== undefined) await back.accept(key, undefined, tiers.nextVersion());
      await tiers.erase(key);
    },
  };
}
