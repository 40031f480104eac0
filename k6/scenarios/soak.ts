// Two hours at the average rate: what only time shows, such as leaks. Watch the boards Runtime and Fleet meanwhile.
import { duration, rate } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { steady } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { summaryOf } from '../lib/summary.ts';
import { scenarioThresholds } from '../lib/thresholds.ts';
import { visit } from '../lib/visits.ts';

const whole = duration(7200);
const half = Math.max(1, Math.floor(whole / 2));

export const options = optionsOf(
  {
    // By halves: a second half that is slower than the first is the finding.
    'first-half': steady({ exec: 'customer', rate, seconds: half }),
    'second-half': steady({ exec: 'customer', startSeconds: half, rate, seconds: half }),
  },
  { ...scenarioThresholds('first-half'), ...scenarioThresholds('second-half') },
);

export const setup = readCatalogue;

export function customer(catalogue: Catalogue): void {
  visit(catalogue);
}

export const handleSummary = summaryOf('soak');
