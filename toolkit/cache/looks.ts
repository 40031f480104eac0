import type { Draft } from './draft';
import type { Repairs } from './invalidation/repairs';
import type { RemoteRead, RemoteTier } from './remote/remote-tier';

/** A shared tier, and what of it is outdated. */
export interface Shared<V> {
  readonly tier: RemoteTier<V>;
  readonly repairs: Repairs;
}

/** What looking in the shared tiers gave. */
export interface SharedLook<V> {
  readonly fresh?: Draft<V>;
  /** Past its time, where nothing is fresh. */
  readonly stale?: Draft<V>;
  /** Of each shared tier that was looked in, innermost first. */
  readonly reads: readonly RemoteRead<V>[];
}

/** What the tiers tell their cache. */
export interface TiersListener {
  /** What is under way for this key, or for all where undefined, is of the time before a write. */
  outdated(key: string | undefined): void;
  /** A key was written elsewhere. */
  keyWritten(key: string): void;
  /** Whether writes elsewhere are heard of. */
  listening(listening: boolean): void;
}
