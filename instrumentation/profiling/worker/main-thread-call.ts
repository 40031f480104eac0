import type { HostMethods } from '../contract';
import { MainThreadBlockedError } from '../errors';
import { NoAnswerError, type Peer } from '../rpc';

/** Milliseconds that the main thread may take to come round to an answer. */
const patienceMs = 5000;

/** Asks the main thread. @throws MainThreadBlockedError when it does not answer in time */
export async function mainThreadCall<K extends keyof HostMethods & string>(
  host: Peer<HostMethods>,
  method: K,
  argument: Parameters<HostMethods[K]>[0],
): Promise<Awaited<ReturnType<HostMethods[K]>>> {
  try {
    return await host.call(method, argument, patienceMs);
  } catch (error) {
    if (error instanceof NoAnswerError) throw new MainThreadBlockedError(method, patienceMs);
    throw error;
  }
}
