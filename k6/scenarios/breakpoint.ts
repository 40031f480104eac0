// Where it breaks: the rate rises without an end until one answer in twenty fails or takes two seconds, and the run
// ends there. The rate reached is the result; a failed threshold is what is meant to happen.
import { duration, rate } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { ramp } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { summaryOf } from '../lib/summary.ts';
import { limits } from '../lib/thresholds.ts';
import { visit } from '../lib/visits.ts';

export const options = optionsOf(
  {
    customers: ramp({ exec: 'customer', from: rate, steps: [{ rate: 100 * rate, seconds: duration(1200) }] }),
  },
  limits('customers'),
);

export const setup = readCatalogue;

export function customer(catalogue: Catalogue): void {
  visit(catalogue);
}

export const handleSummary = summaryOf('breakpoint');
