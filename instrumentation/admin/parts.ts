import type { HistoryRing } from '../history/ring';
import type { CaptureKind } from '../profiling/capture';
import type { HostMethods, WorkerSettings } from '../profiling/contract';
import type { Peer } from '../profiling/rpc';
import type { Capturer } from '../profiling/worker/capturer';
import type { CaptureService } from '../profiling/worker/service';
import type { CaptureStore } from '../profiling/worker/store';
import type { Watchdog } from '../profiling/worker/watchdog';

/** What the handlers work with. */
export interface AdminParts {
  readonly settings: WorkerSettings;
  readonly host: Peer<HostMethods>;
  readonly service: CaptureService;
  readonly capturers: Readonly<Record<CaptureKind, Capturer>>;
  readonly store: CaptureStore;
  readonly watchdog: Watchdog;
  readonly history: HistoryRing;
}
