import type { KindState } from './detector';
import type { Verdict } from './judge';
import type { LeakKind } from './kinds';
import type { GrowingSite } from './sites';
import type { MemorySnapshot } from './snapshot';

/** What a forced collection showed. */
export interface Confirmation {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: LeakKind;
  readonly confirmed: boolean;
  /** What was left, of what was needed to confirm. */
  readonly leftBytes: number;
  readonly neededBytes: number;
  readonly pauseMs: number;
}

/** What the leak detector knows. Times are milliseconds since 1970. */
export interface MemoryReport {
  readonly at: number;
  readonly intervalMs: number;
  /** Readings of the first intervals are not judged. */
  readonly warmingUp: boolean;
  /** The newest of the history; absent before the first interval has ended. */
  readonly snapshot: MemorySnapshot | undefined;
  readonly historyCount: number;
  /** Percent by which the heap in use grew over the last interval. */
  readonly growthRatePercent: number | undefined;
  /** Active resources that came in the last interval. */
  readonly resourceGrowth: number | undefined;
  readonly kinds: Readonly<Record<LeakKind, Verdict & Pick<KindState, 'suspected' | 'leaks'>>>;
  /** Places whose allocations stay, once growth was seen for long enough to look for them. */
  readonly sites: readonly GrowingSite[] | undefined;
  readonly sitesUnavailable: string | undefined;
  /** The last forced collection; absent without VITALS_LEAK_CONFIRM. */
  readonly confirmation: Confirmation | undefined;
  readonly recommendations: readonly string[];
  /** Oldest first. */
  readonly history: readonly MemorySnapshot[];
}
