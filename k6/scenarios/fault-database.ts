// An exhausted pool, leaked connections, slow queries and an N+1: requests wait, and some are turned away.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('database', {
  p95: 6000,
  p99: 10000,
  failed: 0.3,
});
