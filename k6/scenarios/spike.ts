// A crowd arrives within seconds, ten times the average, and leaves. Each phase is a scenario of its own, so that the
// thresholds say which one did not hold: during the crowd the shop may be slow, after it all must be as before.
import { duration, rate } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { ramp, steady } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { summaryOf } from '../lib/summary.ts';
import { scenarioThresholds } from '../lib/thresholds.ts';
import { visit } from '../lib/visits.ts';

const calm = 30;
const crowded = duration(60);
const rise = 5;
/** For what waits to be worked off; nobody judges it. */
const pause = 10;

export const options = optionsOf(
  {
    before: steady({ exec: 'customer', rate, seconds: calm }),
    crowd: ramp({
      exec: 'customer',
      startSeconds: calm,
      from: rate,
      steps: [
        { rate: 10 * rate, seconds: rise },
        { rate: 10 * rate, seconds: crowded },
        { rate, seconds: rise },
      ],
    }),
    after: steady({ exec: 'customer', startSeconds: calm + crowded + 2 * rise + pause, rate, seconds: calm }),
  },
  {
    ...scenarioThresholds('before'),
    'http_req_duration{scenario:crowd}': ['p(95)<3000'],
    'http_req_failed{scenario:crowd}': ['rate<0.05'],
    ...scenarioThresholds('after'),
  },
);

export const setup = readCatalogue;

export function customer(catalogue: Catalogue): void {
  visit(catalogue);
}

export const handleSummary = summaryOf('spike');
