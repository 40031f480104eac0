// An ordinary hour in short: the average rate, reached slowly and held. What it shows is what normal is.
import { duration, rate } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { ramp } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { summaryOf } from '../lib/summary.ts';
import { routeThresholds, scenarioThresholds } from '../lib/thresholds.ts';
import { visit } from '../lib/visits.ts';

export const options = optionsOf(
  {
    customers: ramp({
      exec: 'customer',
      steps: [
        { rate, seconds: 30 },
        { rate, seconds: duration(300) },
        { rate: 0, seconds: 10 },
      ],
    }),
  },
  { ...scenarioThresholds('customers'), ...routeThresholds() },
);

export const setup = readCatalogue;

export function customer(catalogue: Catalogue): void {
  visit(catalogue);
}

export const handleSummary = summaryOf('average-load');
