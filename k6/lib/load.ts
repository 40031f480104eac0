import type { ConstantArrivalRateScenario, RampingArrivalRateScenario } from 'k6/options';

/** A part of a ramp: so many iterations a second are reached after so many seconds. */
export interface Step {
  readonly rate: number;
  readonly seconds: number;
}

/** What both forms of load have. */
interface Load {
  /** Name of the exported function. */
  readonly exec: string;
  /** When it begins. @default 0 */
  readonly startSeconds?: number;
  /**
   * How long an iteration takes at most when all is well, in seconds: so many users are made ready at the start.
   * @default 1
   */
  readonly iterationSeconds?: number;
}

/** A shop that answers slowly needs more users for the same rate: up to this many times those made ready. */
const reserve = 10;
const mostUsers = 2000;

/**
 * Iterations begin at a fixed rate, however slowly the shop answers. With a fixed number of users instead a slow shop
 * would be asked less, and look better than it is.
 */
export function steady(
  load: Load & { readonly rate: number; readonly seconds: number },
): ConstantArrivalRateScenario {
  return {
    executor: 'constant-arrival-rate',
    rate: load.rate,
    duration: `${load.seconds}s`,
    ...shared(load, load.rate),
  };
}

/** Iterations begin at a rate that goes from step to step. */
export function ramp(
  load: Load & { readonly from?: number; readonly steps: readonly Step[] },
): RampingArrivalRateScenario {
  return {
    executor: 'ramping-arrival-rate',
    startRate: load.from ?? 0,
    stages: load.steps.map(({ rate, seconds }) => ({ target: rate, duration: `${seconds}s` })),
    ...shared(load, Math.max(...load.steps.map(({ rate }) => rate))),
  };
}

function shared({ exec, startSeconds = 0, iterationSeconds = 1 }: Load, mostRate: number) {
  const users = Math.min(mostUsers, Math.max(2, Math.ceil(mostRate * iterationSeconds)));
  return {
    exec,
    startTime: `${startSeconds}s`,
    timeUnit: '1s',
    gracefulStop: '10s',
    preAllocatedVUs: users,
    maxVUs: Math.min(mostUsers, users * reserve),
  };
}
