import type { PyroscopeExporter } from '../../exporters/pyroscope';
import type { Profiling } from '../profiling';
import type { CaptureKind, CaptureRecord, Trigger } from '../profiling/capture';
import type { Rule } from './rules';

/** Continuous profiling, as far as it knows what was. */
export type Continuous = Pick<PyroscopeExporter, 'recent'>;

/** Where captures come from. */
export interface Sources {
  readonly profiling: Pick<Profiling, 'start' | 'keep'>;
  /** `undefined` where nothing profiles continuously. */
  readonly continuous: Continuous | undefined;
}

/** What the captures of a rule came to. */
export interface Taken {
  readonly records: readonly CaptureRecord[];
  /** Why captures are missing. */
  readonly errors: readonly unknown[];
}

/** Takes what a rule wants, one after the other; each says why. Never rejects. */
export async function takeCaptures(
  { profiling, continuous }: Sources,
  captures: Rule['captures'],
  durationMs: number,
  reason: Readonly<Record<string, unknown>>,
): Promise<Taken> {
  const records: CaptureRecord[] = [];
  const errors: unknown[] = [];
  const trigger: Trigger = { source: 'auto', reason };
  // Asked first, so that its last window ends with the trigger; kept last, so that what goes on now is not kept waiting.
  const before = captures.flat().includes('cpu') ? continuous?.recent() : undefined;
  before?.catch(() => {
    // Told below.
  });
  let beginsWithTrigger = false;
  for (const alternatives of captures) {
    let failure: unknown;
    for (const kind of alternatives) {
      try {
        const options = { durationMs: instant.has(kind) ? 0 : durationMs, store: true };
        const capture = await profiling.start(kind, options, trigger);
        records.push(await capture.done);
        beginsWithTrigger ||= kind === 'cpu';
        failure = undefined;
        break;
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) errors.push(failure);
  }
  if (before !== undefined && beginsWithTrigger) {
    try {
      for (const profile of await before) records.push(await keep(profiling, profile, trigger));
    } catch (error) {
      errors.push(error);
    }
  }
  return { records, errors };
}

type Window = Awaited<ReturnType<Continuous['recent']>>[number];

function keep(
  profiling: Pick<Profiling, 'keep'>,
  { startedAt, stoppedAt, data }: Window,
  trigger: Trigger,
): Promise<CaptureRecord> {
  const durationMs = stoppedAt.getTime() - startedAt.getTime();
  const notes = ['sampled by continuous profiling before the trigger'];
  return profiling.keep({ kind: 'cpu', data, startedAt: startedAt.getTime(), durationMs, notes }, trigger);
}

/** Kinds that show what there is, the moments before the trigger with it. */
const instant: ReadonlySet<CaptureKind> = new Set(['heap', 'goroutine', 'block', 'mutex']);
