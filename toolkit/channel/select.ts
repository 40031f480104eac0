import { type Channel, coreOf } from './channel';
import { assertMessage } from './core';
import { ChannelAbortedError, ChannelClosedError, ChannelTimeoutError } from './errors';
import type { ChannelMessage, ChannelWaitOptions } from './options';
import { checkWait, type Waiter, type Waiters } from './waiters';

/** One thing that a {@link select} may do: receive from a channel. */
export interface ReceiveCase<T extends ChannelMessage> {
  readonly receive: Channel<T>;
}

/** One thing that a {@link select} may do: send a message to a channel. */
export interface SendCase<T extends ChannelMessage> {
  readonly send: Channel<T>;
  readonly message: T;
}

/** What a {@link select} may do. */
// biome-ignore lint/suspicious/noExplicitAny: channels of any messages; Channel is invariant in them.
export type SelectCase = ReceiveCase<any> | SendCase<any>;

/** What became of a case. */
export type SelectOutcome<C> =
  C extends ReceiveCase<infer T>
    ?
        | { readonly value: T; readonly done: false }
        /** The channel is closed and empty. */
        | { readonly value: undefined; readonly done: true }
    : { readonly value: undefined; readonly done: false };

/** Which of the cases was done, by its place among them, and what became of it. */
export type SelectResult<Cases extends readonly SelectCase[]> = {
  [Place in keyof Cases]: { readonly index: PlaceOf<Place> } & SelectOutcome<Cases[Place]>;
}[number];

type PlaceOf<Place> = Place extends `${infer Index extends number}` ? Index : number;

/** How {@link select} waits and chooses. */
export interface SelectOptions extends ChannelWaitOptions {
  /** Chooses among cases that are ready at once: a number from 0 up to 1. @default Math.random */
  readonly random?: () => number;
}

interface AnyResult {
  readonly index: number;
  readonly value: unknown;
  readonly done: boolean;
}

/**
 * Does exactly one of several sends and receives: one of those that are ready now, chosen by chance so that none
 * starves, or the first that becomes so. Nothing is sent or taken by the others.
 *
 * Receiving from a channel that is closed and empty is ready, with `done`. Where none is ready, rejects with
 * ChannelClosedError when a channel to send to is closed; with ChannelTimeoutError or ChannelAbortedError.
 */
export function select<const Cases extends readonly SelectCase[]>(
  cases: Cases,
  options: SelectOptions = {},
): Promise<SelectResult<Cases>> {
  try {
    assertCases(cases);
    checkWait(namesOf(cases), 'select', options);
    const ready = attempt(cases, options.random);
    if (ready !== undefined) return Promise.resolve(ready as unknown as SelectResult<Cases>);
  } catch (error) {
    return Promise.reject(error);
  }
  return wait(cases, options) as Promise<unknown> as Promise<SelectResult<Cases>>;
}

/**
 * As {@link select}, but gives undefined where no case is ready now.
 *
 * @throws ChannelClosedError when none is ready and a channel to send to is closed
 */
export function trySelect<const Cases extends readonly SelectCase[]>(
  cases: Cases,
  { random }: Pick<SelectOptions, 'random'> = {},
): SelectResult<Cases> | undefined {
  assertCases(cases);
  return attempt(cases, random) as unknown as SelectResult<Cases> | undefined;
}

function assertCases(cases: readonly SelectCase[]): void {
  if (cases.length === 0) throw new TypeError('Expected at least one case to select from, got none');
  for (const one of cases) if ('send' in one) assertMessage(one.message);
}

function attempt(cases: readonly SelectCase[], random = Math.random): AnyResult | undefined {
  const first = Math.floor(random() * cases.length);
  let closed: SendCase<ChannelMessage> | undefined;
  for (let i = 0; i < cases.length; i++) {
    const index = (first + i) % cases.length;
    const one = cases[index]!;
    if ('send' in one) {
      if (one.send[coreOf].closed) closed ??= one;
      else if (one.send[coreOf].offer(one.message)) return { index, value: undefined, done: false };
      continue;
    }
    const core = one.receive[coreOf];
    const value: unknown = core.take();
    if (value !== undefined) return { index, value, done: false };
    if (core.closed) return { index, value: undefined, done: true };
  }
  // It throws, and counts that.
  closed?.send[coreOf].offer(closed.message);
  return undefined;
}

function wait(cases: readonly SelectCase[], { timeoutMs, signal }: ChannelWaitOptions): Promise<AnyResult> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const waiting: { readonly waiters: Waiters<unknown>; readonly waiter: Waiter<unknown> }[] = [];
    const end = (count?: 'timeouts' | 'aborted'): void => {
      for (const { waiters, waiter } of waiting) {
        if (count !== undefined) waiters.counters[count]++;
        waiters.remove(waiter);
      }
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      end('aborted');
      reject(new ChannelAbortedError(namesOf(cases), 'select', { cause: signal!.reason }));
    };
    cases.forEach((one, index) => {
      const done = (result: Omit<AnyResult, 'index'>): void => {
        end();
        resolve({ index, ...result });
      };
      const sends = 'send' in one;
      const waiters: Waiters<unknown> = sends ? one.send[coreOf].senders : one.receive[coreOf].receivers;
      const waiter = waiters.add(
        sends ? one.message : undefined,
        value => done({ value: sends ? undefined : value, done: false }),
        error => {
          if (!sends && error instanceof ChannelClosedError) done({ value: undefined, done: true });
          else {
            end();
            reject(error);
          }
        },
      );
      waiting.push({ waiters, waiter });
    });
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => {
        end('timeouts');
        reject(new ChannelTimeoutError(namesOf(cases), 'select', timeoutMs));
      }, timeoutMs);
    }
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function namesOf(cases: readonly SelectCase[]): string {
  return cases.map(one => ('send' in one ? one.send.name : one.receive.name)).join(', ');
}
