// Leaks of heap, listeners, buffers and timers: customers notice nothing yet, and the detector does.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('memory', {});
