// What the cache is worth: products that nobody asked for lately, then a set that fits, then one that everybody wants.
// The three rows of the summary are the result; the board Cache shows the hits of each tier beside them.
import exec from 'k6/execution';
import { duration, rate } from '../lib/config.ts';
import { type Catalogue, readCatalogue } from '../lib/data.ts';
import { steady } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { showProduct } from '../lib/shop.ts';
import { summaryOf } from '../lib/summary.ts';
import { scenarioThresholds } from '../lib/thresholds.ts';

const seconds = duration(30);
const asked = 5 * rate;
/** Fewer than the shop keeps in memory, and few enough to be all loaded soon. */
const warmSet = 50;

export const options = optionsOf(
  {
    cold: steady({ exec: 'cold', rate: asked, seconds }),
    warm: steady({ exec: 'warm', rate: asked, seconds, startSeconds: seconds }),
    hot: steady({ exec: 'hot', rate: asked, seconds, startSeconds: 2 * seconds }),
  },
  {
    ...scenarioThresholds('cold'),
    ...scenarioThresholds('warm', { p95: 100, p99: 300 }),
    ...scenarioThresholds('hot', { p95: 100, p99: 300 }),
  },
);

export const setup = readCatalogue;

/** One product after the other: none comes twice before all have come. */
export function cold({ products }: Catalogue): void {
  showProduct(1 + (exec.scenario.iterationInTest % products));
}

export function warm({ products }: Catalogue): void {
  showProduct(1 + (exec.scenario.iterationInTest % Math.min(warmSet, products)));
}

export function hot(): void {
  showProduct(1);
}

export const handleSummary = summaryOf('cache-study');
