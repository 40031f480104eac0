// A payment gateway that answers late, and errors on purpose: a share of the requests is slow or fails.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('downstream', {
  p95: 3000,
  p99: 5000,
  failed: 0.4,
});
