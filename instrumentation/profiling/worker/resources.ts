import type { ContentionGroup, HostMethods, ResourceGroup } from '../contract';
import { mergeSamples, pseudoFrame, type StackProfile } from '../pprof/profile';
import type { Peer } from '../rpc';
import type { Capturer } from './capturer';
import { instantCapturer } from './instant';
import { mainThreadCall } from './main-thread-call';

/** What keeps the event loop going: timers, sockets, servers, child processes, requests, by type and by origin. */
export function goroutineCapturer(host: Peer<HostMethods>): Capturer {
  return instantCapturer(0, async () =>
    resourceProfile(await mainThreadCall(host, 'readResources', undefined)),
  );
}

export function resourceProfile(groups: readonly ResourceGroup[], now = Date.now()): StackProfile {
  const tracked = groups.some(({ created }) => created !== undefined);
  return {
    types: [{ type: 'goroutine', unit: 'count' }],
    defaultType: 'goroutine',
    period: { type: 'goroutine', unit: 'count', value: 1 },
    startedAt: now,
    durationMs: 0,
    samples: mergeSamples(
      groups.map(({ type, detail, created = [], count }) => ({
        // The type is outermost, so that a flame graph groups by it, and the place that made it innermost, so that
        // it is what a list names.
        frames: [...created, ...(detail === '' ? [] : [pseudoFrame(detail)]), pseudoFrame(type)],
        values: [count],
        labels: { type },
      })),
    ),
    comments: tracked
      ? ['active resources by the place that made them']
      : ['active resources by type; VITALS_TRACK_RESOURCES=true shows the places that made them'],
  };
}

/** Waits for locks, by the place that waited. */
export function mutexCapturer(host: Peer<HostMethods>, since: number): Capturer {
  return instantCapturer(0, async () => {
    const groups = await mainThreadCall(host, 'readContention', undefined);
    return contentionProfile(groups, since);
  });
}

export function contentionProfile(
  groups: readonly ContentionGroup[],
  since: number,
  now = Date.now(),
): StackProfile {
  return {
    types: [
      { type: 'contentions', unit: 'count' },
      { type: 'delay', unit: 'nanoseconds' },
    ],
    defaultType: 'delay',
    period: { type: 'contentions', unit: 'count', value: 1 },
    startedAt: now,
    durationMs: now - since,
    samples: mergeSamples(
      groups.map(({ lock, frames, count, waitMs }) => ({
        frames: frames.length > 0 ? frames : [pseudoFrame('(place not taken)')],
        values: [count, Math.round(waitMs * 1e6)],
        labels: { lock },
      })),
    ),
    comments: [],
  };
}
