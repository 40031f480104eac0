// Stampede, penetration, avalanche and a lost Redis: carts fail without Redis, products must not.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('cache', {
  p95: 2000,
  p99: 5000,
  failed: 0.4,
});
