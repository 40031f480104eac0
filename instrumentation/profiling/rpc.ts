import type { MessagePort } from 'node:worker_threads';
import { ProfilingError } from './errors';

/** What one side answers the other: a method takes one structured-cloneable value and gives one. */
export type Methods = { readonly [name: string]: (argument: never) => unknown };

type Argument<M extends Methods, K extends keyof M> = Parameters<M[K]>[0];
type Answer<M extends Methods, K extends keyof M> = Awaited<ReturnType<M[K]>>;

/** The other side of a port. */
export interface Peer<Remote extends Methods> {
  /**
   * @param timeoutMs 0 waits as long as it takes
   * @throws what the method threw; {@link NoAnswerError} after `timeoutMs`, or when the other side is gone
   */
  call<K extends keyof Remote & string>(
    method: K,
    argument: Argument<Remote, K>,
    timeoutMs: number,
  ): Promise<Answer<Remote, K>>;
  /** Calls without an answer. */
  notify<K extends keyof Remote & string>(method: K, argument: Argument<Remote, K>): void;
  /** Fails what waits, and all that comes. */
  close(): void;
}

/** The other thread did not answer in time, or is gone. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly code = 'NO_ANSWER';
}

interface Call {
  readonly call: string;
  /** `undefined` where nobody waits for an answer. */
  readonly id: number | undefined;
  readonly argument: unknown;
}

type Message =
  | Call
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: WireError };

interface WireError {
  readonly message: string;
  readonly code?: string;
  readonly status?: number;
}

/** Anything with the messages of a MessagePort; a Worker is one. */
export type Port = Pick<MessagePort, 'postMessage'> & {
  on(event: 'message', listener: (message: Message) => void): unknown;
};

/** Connects to the other side of `port`, which can call `methods` from now on. */
export function connectPeer<Remote extends Methods>(port: Port, methods: Methods): Peer<Remote> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  let closed = false;

  const run = async (message: Call): Promise<void> => {
    const { id } = message;
    try {
      const method = methods[message.call] as ((argument: unknown) => unknown) | undefined;
      if (method === undefined) throw new Error(`Expected a known method, got ${message.call}`);
      const value = await method(message.argument);
      if (id !== undefined && !closed) port.postMessage({ answer: id, value } satisfies Message);
    } catch (error) {
      if (id !== undefined && !closed)
        port.postMessage({ answer: id, error: toWire(error) } satisfies Message);
    }
  };
  port.on('message', message => {
    if ('call' in message) {
      void run(message);
      return;
    }
    const waiter = waiting.get(message.answer);
    waiting.delete(message.answer);
    if ('error' in message) waiter?.reject(fromWire(message.error));
    else waiter?.resolve(message.value);
  });

  return {
    call(method, argument, timeoutMs) {
      if (closed) return Promise.reject(new NoAnswerError(`${method}: the other thread is gone`));
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        const timer =
          timeoutMs > 0
            ? setTimeout(() => {
                waiting.delete(id);
                reject(new NoAnswerError(`${method}: no answer within ${timeoutMs} ms`));
              }, timeoutMs).unref()
            : undefined;
        const settle =
          <T>(settled: (value: T) => void) =>
          (value: T) => {
            clearTimeout(timer);
            settled(value);
          };
        waiting.set(id, { resolve: settle(resolve as (value: unknown) => void), reject: settle(reject) });
        port.postMessage({ call: method, id, argument } satisfies Message);
      });
    },
    notify(method, argument) {
      if (!closed) port.postMessage({ call: method, id: undefined, argument } satisfies Message);
    },
    close() {
      closed = true;
      for (const { reject } of waiting.values()) reject(new NoAnswerError('the other thread is gone'));
      waiting.clear();
    },
  };
}

function toWire(error: unknown): WireError {
  if (error instanceof ProfilingError) {
    return { message: error.message, code: error.code, status: error.status };
  }
  return { message: error instanceof Error ? error.message : String(error) };
}

function fromWire({ message, code, status }: WireError): Error {
  return code === undefined || status === undefined
    ? new Error(message)
    : new ProfilingError(code, status, message);
}
