import type { Capture, CaptureKind, CaptureOptions, CaptureRecord, Trigger } from '../capture';
import type { CaptureEnd, CaptureOutcome, GivenProfile } from '../contract';
import { CaptureBusyError, CaptureCancelledError } from '../errors';
import { type EncodeOptions, encodePprof } from '../pprof/encode';
import type { StackProfile } from '../pprof/profile';
import type { Capturer, Recorder, Recording } from './capturer';
import type { FrameMapper } from './source-maps';
import { type CaptureStore, captureId } from './store';

/** A finished capture. */
export interface CaptureResult {
  readonly record: CaptureRecord;
  /** The file: gzip'd protobuf, or gzip'd JSON of a trace. */
  readonly data: Buffer;
  /** Its stacks with original positions; `undefined` for a trace. */
  readonly profile: StackProfile | undefined;
}

/**
 * Hands finished captures on, as to Pyroscope, and says whether this was one for it. What it throws is said and
 * changes nothing for the capture.
 */
export type Publisher = (result: CaptureResult) => Promise<boolean>;

/** A capture that runs, for whoever lists them. */
export type RunningCapture = Omit<Capture<CaptureResult>, 'done' | 'cancel'>;

/** Takes captures, one of a kind at a time. */
export interface CaptureService {
  /**
   * Resolves when the capture has begun.
   *
   * @throws CaptureBusyError while one of the kind runs; CaptureUnsupportedError; what its profiler throws
   */
  start(kind: CaptureKind, options: CaptureOptions, trigger: Trigger): Promise<Capture<CaptureResult>>;
  readonly running: readonly RunningCapture[];
  /** Keeps what somebody else has taken. @throws StoreError */
  keep(profile: GivenProfile, trigger: Trigger): Promise<CaptureRecord>;
  /** Ends what runs and is to be kept, and resolves when it is kept or has failed. */
  endKept(): Promise<void>;
  /** Cancels what runs, and takes no more. */
  close(): void;
}

export interface ServiceOptions {
  readonly capturers: Readonly<Record<CaptureKind, Capturer>>;
  readonly store: CaptureStore;
  readonly mapper: FrameMapper | undefined;
  readonly encode: EncodeOptions;
  readonly facts: Pick<CaptureRecord, 'service' | 'serviceVersion' | 'nodeVersion' | 'pid'>;
  readonly publishers: readonly Publisher[];
  readonly onEnd: (end: CaptureEnd) => void;
  readonly onPublished: () => void;
  /** Told when the first capture begins that takes its time and is to be kept, and when none runs any more. */
  readonly onKeeping?: (keeps: boolean) => void;
  readonly onPublishError: (error: unknown) => void;
}

/** Kinds that need the same profiler of V8, of which there is one. */
const exclusive: readonly (readonly CaptureKind[])[] = [['heap', 'allocs']];

type Ending = 'time' | 'full' | 'stop' | 'cancel';

export function createCaptureService(options: ServiceOptions): CaptureService {
  const { capturers, store, mapper, facts, onEnd } = options;
  /** By kind; `undefined` while one is being started. */
  const slots = new Map<CaptureKind, Capture<CaptureResult> | undefined>();
  const kept = new Set<Capture<CaptureResult>>();
  let closed = false;

  const claim = (kind: CaptureKind, trigger: Trigger): void => {
    const taken = [kind, ...exclusive.filter(kinds => kinds.includes(kind)).flat()].find(other =>
      slots.has(other),
    );
    if (!closed && taken === undefined) {
      slots.set(kind, undefined);
      return;
    }
    onEnd({ kind, source: trigger.source, outcome: 'rejected', seconds: 0, bytes: 0 });
    if (closed || taken === undefined)
      throw new CaptureBusyError('the process ends: no more captures are taken');
    const since = slots.get(taken)?.startedAt;
    throw new CaptureBusyError(
      `a ${taken} capture is running${since === undefined ? '' : ` since ${new Date(since).toISOString()}`}; ` +
        'wait for it, or end it with POST /profiling/stop',
    );
  };

  const finish = async (
    capture: Omit<Capture<CaptureResult>, 'done'>,
    recording: Recording,
    ending: Ending,
    durationMs: number,
    keep: boolean,
  ): Promise<CaptureResult> => {
    const written = await write(recording, mapper, options.encode);
    const record: CaptureRecord = {
      id: capture.id,
      kind: capture.kind,
      format: recording.format,
      trigger: capture.trigger,
      startedAt: new Date(capture.startedAt).toISOString(),
      durationMs,
      stopped: ending === 'stop' || ending === 'full',
      bytes: written.data.byteLength,
      ...facts,
      notes: written.notes,
    };
    const result = { record, data: written.data, profile: written.profile };
    if (keep) await store.save(record, written.data);
    for (const publish of options.publishers) {
      publish(result).then(was => was && options.onPublished(), options.onPublishError);
    }
    return result;
  };

  return {
    get running() {
      return [...slots.values()].filter(capture => capture !== undefined);
    },
    async start(kind, { durationMs, gc = false, store: keep }, trigger) {
      claim(kind, trigger);
      const begin = Date.now();
      const ended = (outcome: CaptureOutcome, bytes: number): void => {
        slots.delete(kind);
        onEnd({ kind, source: trigger.source, outcome, seconds: (Date.now() - begin) / 1000, bytes });
      };
      let recorder: Recorder;
      try {
        recorder = await capturers[kind].begin({ durationMs, gc });
      } catch (error) {
        ended('failed', 0);
        throw error;
      }
      // What the profiler takes to begin is not recorded, nor what it takes to end.
      const startedAt = Date.now();
      let end: (ending: Ending) => void = () => {};
      const ending = new Promise<Ending>(resolve => {
        end = resolve;
      });
      const base = {
        id: captureId(kind, new Date(begin)),
        kind,
        trigger,
        startedAt,
        durationMs,
        stop: () => end('stop'),
        cancel: () => end('cancel'),
      };
      const timer = setTimeout(end, durationMs, 'time');
      void recorder.full?.then(() => end('full'));
      const run = async (): Promise<CaptureResult> => {
        const how = await ending;
        const recordedMs = Date.now() - startedAt;
        clearTimeout(timer);
        try {
          if (how === 'cancel') {
            await recorder.abort();
            throw new CaptureCancelledError();
          }
          const result = await finish(base, await recorder.finish(), how, recordedMs, keep);
          ended(result.record.stopped ? 'stopped' : 'complete', result.record.bytes);
          return result;
        } catch (error) {
          ended(error instanceof CaptureCancelledError ? 'cancelled' : 'failed', 0);
          throw error;
        }
      };
      const capture: Capture<CaptureResult> = { ...base, done: run() };
      // Whoever wants the result hears of the failure; nobody may.
      capture.done.catch(() => {});
      slots.set(kind, capture);
      if (keep && durationMs > 0) {
        kept.add(capture);
        if (kept.size === 1) options.onKeeping?.(true);
        const left = (): void => {
          if (kept.delete(capture) && kept.size === 0) options.onKeeping?.(false);
        };
        capture.done.then(left, left);
      }
      if (closed) capture.cancel();
      return capture;
    },
    async keep({ kind, data, startedAt, durationMs, notes }, trigger) {
      const record: CaptureRecord = {
        id: captureId(kind, new Date(startedAt)),
        kind,
        format: 'pprof',
        trigger,
        startedAt: new Date(startedAt).toISOString(),
        durationMs,
        stopped: false,
        bytes: data.byteLength,
        ...facts,
        notes,
      };
      await store.save(record, data);
      return record;
    },
    async endKept() {
      const ending = [...kept];
      for (const capture of ending) capture.stop();
      await Promise.allSettled(ending.map(({ done }) => done));
    },
    close() {
      closed = true;
      for (const capture of slots.values()) capture?.cancel();
    },
  };
}

async function write(
  recording: Recording,
  mapper: FrameMapper | undefined,
  encode: EncodeOptions,
): Promise<{ data: Buffer; profile: StackProfile | undefined; notes: readonly string[] }> {
  if (recording.format === 'trace') {
    return { data: recording.gzipped, profile: undefined, notes: recording.notes };
  }
  const profile = mapper === undefined ? recording.profile : await mapper.apply(recording.profile);
  return { data: await encodePprof(profile, encode), profile, notes: profile.comments };
}
