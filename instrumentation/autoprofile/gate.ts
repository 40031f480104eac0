import type { RuleName } from '../names';
import type { CaptureKind } from '../profiling/capture';

/** Why a rule that fired takes no capture. */
export type Refusal = 'cooldown' | 'budget' | 'busy';

export interface GateOptions {
  readonly warmupMs: number;
  readonly cooldownMs: number;
  /** Milliseconds in which a second capture of a kind would show the same incident. */
  readonly relatedMs: number;
  /** Units in any hour. */
  readonly budget: number;
  /** Milliseconds, of a clock that only goes forward. Default: since the process began. */
  readonly now?: () => number;
}

/** What keeps captures rare: a warm-up, a cooldown for each rule, a budget for all. */
export interface Gate {
  readonly warm: boolean;
  /**
   * @param cost in units of the budget
   * @param kind the capture that matters; `busy` is the answer where another rule has just had it
   */
  ask(rule: RuleName, cost: number, kind: CaptureKind): Refusal | undefined;
  /** Takes captures off the budget. */
  spend(cost: number, kinds: readonly CaptureKind[]): void;
  /** Begins the cooldown of a rule. */
  cool(rule: RuleName): void;
}

const hourMs = 3_600_000;

export function createGate(options: GateOptions): Gate {
  const { warmupMs, cooldownMs, relatedMs, budget, now = () => performance.now() } = options;
  const startedAt = now();
  const cooledAt = new Map<RuleName, number>();
  const takenAt = new Map<CaptureKind, number>();
  let spent: { at: number; cost: number }[] = [];
  return {
    get warm() {
      return now() - startedAt >= warmupMs;
    },
    ask(rule, cost, kind) {
      const last = cooledAt.get(rule);
      if (last !== undefined && now() - last < cooldownMs) return 'cooldown';
      const taken = takenAt.get(kind);
      if (taken !== undefined && now() - taken < relatedMs) return 'busy';
      const since = now() - hourMs;
      spent = spent.filter(({ at }) => at > since);
      const total = spent.reduce((sum, entry) => sum + entry.cost, cost);
      return total > budget ? 'budget' : undefined;
    },
    spend(cost, kinds) {
      spent.push({ at: now(), cost });
      for (const kind of kinds) takenAt.set(kind, now());
    },
    cool(rule) {
      cooledAt.set(rule, now());
    },
  };
}

/**
 * Milliseconds per MiB that V8 takes to begin a CPU profile, for which it walks the heap while the main thread waits:
 * 0.6 to 1.5 s were measured at 670 MiB; the worst of them counts.
 */
const walkMsPerMiB = 2.2;
/** Milliseconds of waiting that one unit of the budget pays for. */
const unitMs = 250;

/** What a CPU profile costs, in units of the budget: one, and more where the heap is large. */
export function cpuCost(heapBytes: number): number {
  return Math.max(1, Math.ceil(((heapBytes / 2 ** 20) * walkMsPerMiB) / unitMs));
}
