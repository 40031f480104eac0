import { TemporalMetricProcessor } from '@opentelemetry/sdk-metrics/build/src/state/TemporalMetricProcessor';
import { hashAttributes } from '@opentelemetry/sdk-metrics/build/src/utils';

const overflow = Object.freeze({ 'otel.metric.overflow': true });

/**
 * Makes the SDK hold its cardinality limit over the life of the process. By itself (2.12) it counts attribute sets
 * anew after each collection, and running totals keep them all: a label that never repeats adds up to the limit with
 * every scrape, until memory is gone. What is too many goes to the overflow series, and no measurement is lost.
 *
 * Source: OpenTelemetry specification, "Synchronous instrument cardinality limits".
 *
 * @param limit attribute sets per instrument, the overflow series included
 */
export function boundSdkSeries(limit: number): void {
  const overflowHash = hashAttributes(overflow);
  // This is where the SDK adds what came since the last collection to the running totals.
  TemporalMetricProcessor.merge = (totals, current, aggregator) => {
    for (const [attributes, added, hash] of current.entries()) {
      const known = totals.has(attributes, hash) || hash === overflowHash;
      const named = totals.size - (totals.has(overflow, overflowHash) ? 1 : 0);
      const fits = known || named < limit - 1;
      const [key, keyHash] = fits ? [attributes, hash] : [overflow, overflowHash];
      const before = totals.get(key, keyHash);
      totals.set(key, before === undefined ? added : aggregator.merge(before, added), keyHash);
    }
    return totals;
  };
}
