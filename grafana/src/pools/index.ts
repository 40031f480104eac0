import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from '../board';
import { channels } from './channels';
import { locks } from './locks';
import { objectPools } from './object-pools';
import { workerPools } from './worker-pools';

/** The board **Pools, workers, channels and locks**: what the toolkit's instances say of themselves, by name. */
export function poolsBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-pools',
    title: 'Pools, workers, channels and locks',
    description:
      'Instances of the toolkit by the names that the application gave them: how full they are, who waits for them and for how long, and what they refused. Shares near 100 % on the left are where to look first.',
    tags: ['nodejs', 'toolkit'],
    sections: [objectPools, workerPools, channels, locks],
  });
}
