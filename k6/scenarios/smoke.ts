// Does it work at all: every kind of visit, once a second for a minute. Before any other scenario, and after a change.
import { duration } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { steady } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { summaryOf } from '../lib/summary.ts';
import { routeThresholds, scenarioThresholds } from '../lib/thresholds.ts';
import { visitAll } from '../lib/visits.ts';

export const options = optionsOf(
  { everything: steady({ exec: 'everything', rate: 1, seconds: duration(60), iterationSeconds: 3 }) },
  { ...scenarioThresholds('everything'), ...routeThresholds() },
);

export const setup = readCatalogue;

export function everything(catalogue: Catalogue): void {
  visitAll(catalogue);
}

export const handleSummary = summaryOf('smoke');
