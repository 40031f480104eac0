import type { RuleName } from '../names';
import type { CaptureKind } from '../profiling/capture';

/** Why a rule that fired takes no capture. */
export type Refusal = 'cooldown' | 'budget' | 'busy';

export interface GateOptions {
  readonly warmupMs: number;
  readonly cooldownMs: number;
  /** Milliseconds in which a second capture of a kind, or of a related rule, would show the same incident. */
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
   * @param kind the capture that matters; `busy` is the answer where another rule has just had it, or a related rule
   *   any
   */
  ask(rule: RuleName, cost: number, kind: CaptureKind): Refusal | undefined;
  /** Takes the captures of a rule off the budget. */
  spend(rule: RuleName, cost: number, kinds: readonly CaptureKind[]): void;
  /** Begins the cooldown of a rule. */
  cool(rule: RuleName): void;
}

const hourMs = 3_600_000;

/**
 * What a rule is a sign of: that the main thread has too much to do, or that memory fills. Signs of one trouble come
 * together, the one that is first shows it. Garbage collection is a sign of both.
 */
const troubles: Readonly<Record<RuleName, readonly ('thread' | 'memory')[]>> = {
  stall: ['thread'],
  gc: ['memory', 'thread'],
  heap: ['memory'],
  resources: ['memory'],
  delay: ['thread'],
  response: ['thread'],
  cpu: ['thread'],
};

const areRelated = (a: RuleName, b: RuleName): boolean =>
  troubles[a].some(trouble => troubles[b].includes(trouble));

export function createGate(options: GateOptions): Gate {
  const { warmupMs, cooldownMs, relatedMs, budget, now = () => performance.now() } = options;
  const startedAt = now();
  const cooledAt = new Map<RuleName, number>();
  const takenAt = new Map<CaptureKind, number>();
  const spentAt = new Map<RuleName, number>();
  const justNow = (at: number | undefined): boolean => at !== undefined && now() - at < relatedMs;
  let spent: { at: number; cost: number }[] = [];
  return {
    get warm() {
      return now() - startedAt >= warmupMs;
    },
    ask(rule, cost, kind) {
      const last = cooledAt.get(rule);
      if (last !== undefined && now() - last < cooldownMs) return 'cooldown';
      if (justNow(takenAt.get(kind))) return 'busy';
      for (const [other, at] of spentAt) if (areRelated(rule, other) && justNow(at)) return 'busy';
      const since = now() - hourMs;
      spent = spent.filter(({ at }) => at > since);
      const total = spent.reduce((sum, entry) => sum + entry.cost, cost);
      return total > budget ? 'budget' : undefined;
    },
    spend(rule, cost, kinds) {
      spentAt.set(rule, now());
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
