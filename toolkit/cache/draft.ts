import type { LogPosition } from './entry';

/** A value on its way into the tiers, each of which has its own time to live. */
export interface Draft<V> {
  /** `undefined` says that the source has no such value. */
  readonly value: V | undefined;
  readonly version: string;
  /** When it was read at its source, or set: from then on its time to live counts. */
  readonly bornAt: number;
  /** Fresh no longer than this, whatever the tier; Infinity where only tiers bound it. */
  readonly bestBefore: number;
  /** Time to live where the caller gave one. */
  readonly ttlMs: number | undefined;
  readonly loadMs: number;
  readonly tags: readonly string[] | undefined;
  readonly position: LogPosition;
}

/** What decides how long entries live, beside their tier. */
export interface LifeOptions {
  /** 0: what the source does not have is not stored. */
  readonly negativeTtlMs: number;
  readonly staleMs: number;
  /** Share of its life by which an entry may live shorter. */
  readonly jitter: number;
  readonly random: () => number;
}

/** How long a draft lives in a tier. */
export interface Life {
  readonly freshUntil: number;
  readonly until: number;
}

/** Times to live are shortened at random and never prolonged, so that they stay a promise. */
export function lifeOf(draft: Draft<unknown>, tierTtlMs: number, options: LifeOptions): Life {
  const { negativeTtlMs, staleMs, jitter, random } = options;
  const longest = draft.value === undefined ? Math.min(negativeTtlMs, tierTtlMs) : tierTtlMs;
  const ttlMs = Math.min(draft.ttlMs ?? longest, longest);
  const lived = jitter === 0 ? ttlMs : ttlMs * (1 - jitter * random());
  const freshUntil = Math.min(draft.bestBefore, draft.bornAt + lived);
  return { freshUntil, until: freshUntil + staleMs };
}
