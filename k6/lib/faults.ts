import { fail, sleep } from 'k6';
import type { Options } from 'k6/options';
import { type Answer, ask } from './checks.ts';
import { duration, rate } from './config.ts';
import { type Catalogue, readCatalogue } from './data.ts';
import { steady } from './load.ts';
import { optionsOf } from './options.ts';
import { type SummaryData, summaryOf } from './summary.ts';
import { type Promised, scenarioThresholds } from './thresholds.ts';
import { visit } from './visits.ts';

/** What a scenario of faults exports. */
export interface FaultScenario {
  readonly options: Options;
  setup(): FaultData;
  /** A customer, before, during and after. */
  customer(data: FaultData): void;
  /** Makes each fault of the family, one after the other, and heals it. */
  faults(data: FaultData): void;
  /** Heals whatever is left, however the run ended. */
  teardown(data: FaultData): void;
  handleSummary(data: SummaryData): Record<string, string>;
}

/** What is known from the start of the run on. */
export interface FaultData extends Catalogue {
  /** Names of the faults that are made. */
  readonly names: readonly string[];
}

interface FaultState {
  readonly name: string;
  readonly family: string;
  readonly active: boolean;
}

/** Seconds before the faults, between their end and the judgement, and after them. */
const calm = 30;
const pause = 15;
/** So much longer than it is wanted a fault may last, should nobody heal it. */
const marginSeconds = 30;

/**
 * A scenario that keeps customers coming while all faults of a family are made, or the one that FAULT names. Customers
 * before, during and after are scenarios of their own: what must hold is said for each.
 *
 * @param during what is promised while faults are on
 */
export function faultScenario(family: string, during: Promised): FaultScenario {
  const faulty = duration(120);
  const name = `fault-${family}`;
  const load = { exec: 'customer', rate };
  const after = calm + faulty + pause;
  return {
    options: optionsOf(
      {
        before: steady({ ...load, seconds: calm }),
        during: steady({ ...load, startSeconds: calm, seconds: faulty, iterationSeconds: 5 }),
        after: steady({ ...load, startSeconds: after, seconds: calm }),
        faults: {
          executor: 'per-vu-iterations',
          exec: 'faults',
          vus: 1,
          iterations: 1,
          startTime: `${calm}s`,
          maxDuration: `${faulty + pause}s`,
          gracefulStop: '30s',
        },
      },
      {
        ...scenarioThresholds('before'),
        ...duringThresholds(during),
        ...scenarioThresholds('after'),
        'checks{scenario:faults}': ['rate==1'],
      },
    ),

    setup() {
      const wanted = __ENV['FAULT'] || undefined;
      const catalogue = readCatalogue();
      const all = readFaults();
      const names = all.filter(one => one.family === family).map(one => one.name);
      if (wanted !== undefined && !names.includes(wanted)) {
        fail(`FAULT: expected one of ${names.join(', ')}, got "${wanted}"`);
      }
      return { ...catalogue, names: wanted === undefined ? names : [wanted] };
    },

    customer: visit,

    faults({ names }) {
      const each = Math.max(1, Math.floor(faulty / names.length));
      for (const fault of names) {
        const { status } = ask({
          method: 'POST',
          route: '/faults/:name',
          path: `/faults/${fault}`,
          body: { seconds: each + marginSeconds },
          what: 'a fault is made',
          expect: [201],
        });
        sleep(each);
        if (status === 201) heal(fault);
      }
    },

    teardown({ names }) {
      for (const { name: fault, active } of readFaults()) if (active && names.includes(fault)) heal(fault);
    },

    handleSummary: summaryOf(name),
  };
}

/** Dropped iterations are no failure while something is broken. */
function duringThresholds(promised: Promised): NonNullable<Options['thresholds']> {
  const { 'dropped_iterations{scenario:during}': _, ...thresholds } = scenarioThresholds('during', promised);
  return thresholds;
}

function heal(fault: string): Answer {
  return ask({
    method: 'DELETE',
    route: '/faults/:name',
    path: `/faults/${fault}`,
    what: 'a fault is healed',
  });
}

function readFaults(): readonly FaultState[] {
  const answer = ask({ method: 'GET', route: '/faults', what: 'the faults are listed' });
  if (answer.status !== 200)
    fail('expected a shop with faults, got one without: start it with MALL_FAULTS=on');
  return answer.json('faults') as unknown as readonly FaultState[];
}
