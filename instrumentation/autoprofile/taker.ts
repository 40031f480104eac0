import type { Profiling } from '../profiling';
import type { CaptureKind, CaptureRecord } from '../profiling/capture';
import type { Rule } from './rules';

/** What the captures of a rule came to. */
export interface Taken {
  readonly records: readonly CaptureRecord[];
  /** Why captures are missing. */
  readonly errors: readonly unknown[];
}

/** Takes what a rule wants, one after the other; each says why. Never rejects. */
export async function takeCaptures(
  profiling: Pick<Profiling, 'start'>,
  captures: Rule['captures'],
  durationMs: number,
  reason: Readonly<Record<string, unknown>>,
): Promise<Taken> {
  const records: CaptureRecord[] = [];
  const errors: unknown[] = [];
  for (const alternatives of captures) {
    let failure: unknown;
    for (const kind of alternatives) {
      try {
        const options = { durationMs: instant.has(kind) ? 0 : durationMs, store: true };
        const capture = await profiling.start(kind, options, { source: 'auto', reason });
        records.push(await capture.done);
        failure = undefined;
        break;
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) errors.push(failure);
  }
  return { records, errors };
}

/** Kinds that show what there is, the moments before the trigger with it. */
const instant: ReadonlySet<CaptureKind> = new Set(['heap', 'goroutine', 'block', 'mutex']);
