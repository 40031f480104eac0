import type { ProfileKind, ProfileWindow, Sampler } from './samplers';

/** What happened to each kind's profiles; read by the self metrics. */
export interface PyroscopeStats {
  /** Profiles that Pyroscope accepted. */
  readonly uploads: Record<ProfileKind, number>;
  /** Profiles that were taken, or should have been, and did not arrive. */
  readonly failures: Record<ProfileKind, number>;
  readonly lastError: string | undefined;
}

/** Takes and sends the profiles of one sampler, window after window. */
export interface ProfileLoop {
  readonly kind: ProfileKind;
  /** Ends the window under way now, and gives it and the one before it, oldest first. Both are sent as ever. */
  recent(): readonly ProfileWindow[];
  /** Ends sampling and resolves when all that was taken is sent or lost. Never rejects. */
  finish(): Promise<void>;
}

export interface ProfileLoopOptions {
  windowMs: number;
  /** Whether windows are kept for `recent`. */
  keepsRecent: boolean;
  send(window: ProfileWindow): Promise<void>;
  onSuccess(kind: ProfileKind): void;
  onFailure(kind: ProfileKind, error: unknown): void;
}

/**
 * Starts the loop. Its timer does not keep the process alive.
 *
 * One upload is under way at a time and one window waits behind it; a newer one takes its place. So a server that is
 * slow or down costs two profiles of memory and no more, and once it is back gets the newest window.
 */
export function startLoop(sampler: Sampler, options: ProfileLoopOptions): ProfileLoop {
  const { kind } = sampler;
  let waiting: ProfileWindow | undefined;
  let sending: Promise<void> | undefined;
  /** The newest that was taken, and the one before it. */
  let ring: readonly ProfileWindow[] = [];

  const drain = async () => {
    while (waiting !== undefined) {
      const window = waiting;
      waiting = undefined;
      try {
        await options.send(window);
        options.onSuccess(kind);
      } catch (error) {
        options.onFailure(kind, error);
      }
    }
    sending = undefined;
  };

  const take = (from: () => ProfileWindow) => {
    try {
      const window = from();
      if (options.keepsRecent) ring = [...ring.slice(-1), window];
      if (waiting !== undefined) options.onFailure(kind, new Error('the upload before it took too long'));
      waiting = window;
      sending ??= drain();
    } catch (error) {
      options.onFailure(kind, error);
    }
  };

  const timer = setInterval(() => take(() => sampler.collect()), options.windowMs).unref();

  return {
    kind,
    recent() {
      take(() => sampler.collect());
      return ring;
    },
    async finish() {
      clearInterval(timer);
      take(() => sampler.finish());
      await sending;
    },
  };
}
