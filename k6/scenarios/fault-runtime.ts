// A blocked event loop, burnt CPU and busy collections: everything becomes slower, and nothing fails.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('runtime', {
  p95: 2000,
  p99: 5000,
});
