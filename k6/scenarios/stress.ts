// More than usual for a while: two, three and four times the average rate. It may become slower, but must not fail.
import { duration, rate } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { ramp } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { summaryOf } from '../lib/summary.ts';
import { scenarioThresholds } from '../lib/thresholds.ts';
import { visit } from '../lib/visits.ts';

const held = duration(120);

export const options = optionsOf(
  {
    customers: ramp({
      exec: 'customer',
      from: rate,
      steps: [
        ...[2, 3, 4].flatMap(times => [
          { rate: times * rate, seconds: 20 },
          { rate: times * rate, seconds: held },
        ]),
        { rate: 0, seconds: 20 },
      ],
    }),
  },
  scenarioThresholds('customers', { p95: 1000, p99: 2000 }),
);

export const setup = readCatalogue;

export function customer(catalogue: Catalogue): void {
  visit(catalogue);
}

export const handleSummary = summaryOf('stress');
