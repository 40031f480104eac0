import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from '../board';
import { client } from './client';
import { networkClient } from './network-client';
import { server } from './server';
import { toolkit } from './toolkit';

/** The board **HTTP**: requests answered by route, and calls made by server. */
export function httpBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-http',
    title: 'HTTP',
    description:
      'Rate, errors and duration of the requests that the processes answer, by route, and of the calls that they make, by server. Compare a slow route with the calls below it on the same time range.',
    tags: ['nodejs', 'http'],
    sections: [server, client, networkClient, toolkit],
  });
}
