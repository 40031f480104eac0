import { ShopError } from '../errors';
import { cacheAvalanche, cachePenetration, cacheStampede, redisDown } from './cache';
import { channelBacklog, lockConvoy, workerPoolSaturation } from './concurrency';
import { connectionLeak, nPlusOne, poolExhaustion, slowQuery } from './database';
import { errorBurst, slowPayment } from './downstream';
import type { FaultContext, Heal, StartFault } from './fault';
import { bufferLeak, gcPressure, heapLeak, listenerLeak, timerLeak } from './memory';
import { fileDescriptorLeak } from './resources';
import { cpuBurn, eventLoopBlock } from './runtime';
import { type FaultEntry, type FaultName, faultNames, faultTable, type Parameter } from './table';

const starts: Readonly<Record<FaultName, StartFault>> = {
  'heap-leak': heapLeak,
  'listener-leak': listenerLeak,
  'buffer-leak': bufferLeak,
  'timer-leak': timerLeak,
  'event-loop-block': eventLoopBlock,
  'cpu-burn': cpuBurn,
  'gc-pressure': gcPressure,
  'pool-exhaustion': poolExhaustion,
  'connection-leak': connectionLeak,
  'slow-query': slowQuery,
  'n-plus-one': nPlusOne,
  'cache-stampede': cacheStampede,
  'cache-penetration': cachePenetration,
  'cache-avalanche': cacheAvalanche,
  'redis-down': redisDown,
  'lock-convoy': lockConvoy,
  'worker-pool-saturation': workerPoolSaturation,
  'channel-backlog': channelBacklog,
  'slow-payment': slowPayment,
  'error-burst': errorBurst,
  'file-descriptor-leak': fileDescriptorLeak,
};

/** How a fault stands. Times are milliseconds since 1970. */
export interface FaultState {
  readonly name: FaultName;
  readonly active: boolean;
  readonly since?: number;
  /** When it heals by itself. */
  readonly until?: number;
  readonly parameters?: Readonly<Record<string, number>>;
}

/** The faults of this process. */
export interface Faults {
  states(): readonly FaultState[];
  /**
   * Begins a fault for so many seconds.
   *
   * @param given the parameters that are not to be as preset, within their bounds
   * @throws {@link ShopError} 409 `fault_active`, 409 `fault_impossible`, 503 `fault_failed`
   */
  start(name: FaultName, seconds: number, given: Readonly<Record<string, number>>): Promise<FaultState>;
  /** Whether a request of this path is to fail, by chance. */
  fails(path: string): boolean;
  /** Ends a fault; one that is not on stays so. @throws {@link ShopError} 503 `fault_not_healed` */
  heal(name: FaultName): Promise<FaultState>;
  /** Ends all of them, as far as that goes. */
  close(): Promise<void>;
}

interface Active {
  readonly state: FaultState;
  readonly timer: NodeJS.Timeout;
  /** Once it has begun. */
  readonly heal: Promise<Heal>;
}

/** Faults on the shop, of which each is on once at most and ends after its time whatever happens. */
export function createFaults(parts: Omit<FaultContext, 'failRequests'>): Faults {
  let failing = 0;
  const context: FaultContext = {
    ...parts,
    failRequests(share) {
      failing = share;
    },
  };
  const active = new Map<FaultName, Active>();
  const stateOf = (name: FaultName): FaultState => active.get(name)?.state ?? { name, active: false };

  const heal = async (name: FaultName): Promise<FaultState> => {
    const one = active.get(name);
    if (one === undefined) return stateOf(name);
    active.delete(name);
    clearTimeout(one.timer);
    try {
      await (await one.heal)();
    } catch (cause) {
      throw new ShopError(503, 'fault_not_healed', `The fault ${name} did not heal: ${String(cause)}`);
    }
    return stateOf(name);
  };

  return {
    states: () => faultNames.map(stateOf),

    async start(name, seconds, given) {
      if (active.has(name)) throw new ShopError(409, 'fault_active', `The fault ${name} is on already`);
      if (name === 'redis-down' && context.redis === undefined) {
        throw new ShopError(409, 'fault_impossible', 'This shop has no Redis, or one over TLS');
      }
      const entry: FaultEntry = faultTable[name];
      const presets = Object.entries(entry.parameters).map(([key, { preset }]: [string, Parameter]) => [
        key,
        preset,
      ]);
      const parameters: Record<string, number> = { ...Object.fromEntries(presets), ...given };
      const since = Date.now();
      const state = { name, active: true, since, until: since + seconds * 1000, parameters };
      const begun = (async () => starts[name](context, parameters))();
      const timer = setTimeout(() => void heal(name).catch(context.complain), seconds * 1000);
      active.set(name, { state, timer, heal: begun });
      try {
        await begun;
      } catch (cause) {
        active.delete(name);
        clearTimeout(timer);
        throw new ShopError(503, 'fault_failed', `The fault ${name} could not be made: ${String(cause)}`);
      }
      return state;
    },

    heal,

    // What tells of the shop, and what heals it, goes on.
    fails: path => failing > 0 && !/^\/(?:faults|health)\b/.test(path) && Math.random() < failing,

    async close() {
      await Promise.all([...active.keys()].map(name => heal(name).catch(context.complain)));
    },
  };
}
