import { errorText, type Log } from '../../instrumentation/log';
import type { ProfileKind } from './samplers';

/** Counts uploads and says once that they fail, and once that they work again. */
export interface ServerState {
  readonly stats: {
    uploads: Record<ProfileKind, number>;
    failures: Record<ProfileKind, number>;
    lastError: string | undefined;
  };
  succeeded(kind: ProfileKind): void;
  failed(kind: ProfileKind, error: unknown): void;
  /** From here on no further window follows. */
  end(): void;
}

/**
 * The state of the server at `address`, which is down while the newest profile of any kind did not arrive.
 *
 * Both kinds share it: a server that is gone is one warning, and one that takes heap profiles but never wall profiles
 * is one warning too, not one per window.
 */
export function createServerState(address: string, log: Pick<Log, 'warn' | 'debug'>): ServerState {
  const failing = new Set<ProfileKind>();
  let lost = 0;
  let ending = false;
  const stats: ServerState['stats'] = {
    uploads: { wall: 0, heap: 0 },
    failures: { wall: 0, heap: 0 },
    lastError: undefined,
  };
  return {
    stats,
    succeeded(kind) {
      stats.uploads[kind]++;
      if (!failing.delete(kind) || failing.size > 0) return;
      log.warn(`Pyroscope at ${address} takes profiles again; ${lost} ${lost === 1 ? 'was' : 'were'} lost`);
      lost = 0;
    },
    failed(kind, error) {
      stats.failures[kind]++;
      stats.lastError = errorText(error);
      lost++;
      const message = `Pyroscope at ${address} did not get a ${kind} profile: ${stats.lastError}`;
      const consequence = ending ? '' : '; the application runs on, and profiles are lost until it does';
      if (failing.size === 0) log.warn(`${message}${consequence}`);
      else log.debug(message);
      failing.add(kind);
    },
    end() {
      ending = true;
    },
  };
}
