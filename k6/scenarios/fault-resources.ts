// Files that are opened and not closed: customers notice nothing until the limit.
import { faultScenario } from '../lib/faults.ts';

export const { options, setup, customer, faults, teardown, handleSummary } = faultScenario('resources', {});
