import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from '../board';
import { diagnosis } from './diagnosis';
import { eventLoop } from './event-loop';
import { gc } from './gc';
import { glance } from './glance';
import { heap } from './heap';
import { processSection } from './process';
import { profiles } from './profiles';
import { threads } from './threads';

/** The board **Runtime**: what Node.js itself says of its processes. */
export function runtimeBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-runtime',
    title: 'Runtime',
    description:
      'Event loop, heap, garbage collection and process of Node.js applications that run under otel-vitals. Start with the numbers on top: they show the worst process of those chosen; then choose that instance.',
    tags: ['nodejs'],
    sections: [glance, eventLoop, heap, gc, processSection, threads, diagnosis, profiles],
  });
}
