// A lock convoy, a saturated worker pool and a full channel: those who want just these wait.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('concurrency', {
  p95: 3000,
  p99: 10000,
  failed: 0.2,
});
