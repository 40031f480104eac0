import type { OperationRecorder } from '../meters/db-operations';
import { createConnectionGroups } from './redis-connections';
import { type Patcher, prototypeOf, type Target } from './target';
import { type DatabaseMeters, placeName } from './tools';

interface Client {
  readonly status?: unknown;
  readonly options?: { host?: unknown; port?: unknown; path?: unknown; db?: unknown };
}

/** A command settles through its own two functions, which ioredis replaces itself to send it elsewhere. */
interface Command {
  readonly name: string;
  readonly args: readonly unknown[];
  resolve: (this: unknown, value: unknown) => unknown;
  reject: (this: unknown, error: unknown) => unknown;
}

/** ioredis: all commands of all clients, those of a cluster's nodes included. */
export function ioredisTargets({ operations, pools }: DatabaseMeters): Target[] {
  /** A command that waits offline is sent again later; it is measured from the first time. */
  const running = new WeakSet<Command>();
  const note =
    pools === undefined
      ? undefined
      : createConnectionGroups(pools, client => (client as Client).status === 'ready');

  const measure = (command: Command, redis: OperationRecorder, patcher: Patcher): void => {
    const startMs = performance.now();
    running.add(command);
    const { resolve, reject } = command;
    const settle = (error?: unknown): void => {
      running.delete(command);
      if (command.resolve === onResolve) command.resolve = resolve;
      if (command.reject === onReject) command.reject = reject;
      try {
        redis.end(command.name, startMs, error);
      } catch (failure) {
        patcher.failed(failure);
      }
    };
    const onResolve: Command['resolve'] = function (value) {
      settle();
      return resolve.call(this, value);
    };
    const onReject: Command['reject'] = function (error) {
      settle(error ?? null);
      return reject.call(this, error);
    };
    command.resolve = onResolve;
    command.reject = onReject;
  };

  const hook: Target['hook'] = (exports, patcher) => {
    const prototype = prototypeOf(exports, 'default', '');
    if (operations !== undefined) {
      const { redis } = operations;
      patcher.wrap(
        prototype,
        'sendCommand',
        original =>
          function (this: Client, ...args) {
            const command = args[0] as Command;
            if (typeof command?.resolve === 'function' && !running.has(command) && !introduces(command)) {
              measure(command, redis, patcher);
            }
            return original.apply(this, args);
          },
      );
    }
    if (note === undefined) return;
    patcher.wrap(
      prototype,
      'connect',
      original =>
        function (this: Client, ...args) {
          patcher.guard(() => note(this, placeOfClient(this)));
          return original.apply(this, args);
        },
    );
  };
  return [{ library: 'ioredis', package: 'ioredis', file: /^built\/(Redis|redis\/index)\.js$/, hook }];
}

function placeOfClient({ options }: Client): string {
  const { host, port, path, db } = options ?? {};
  return placeName({
    host: path ?? host,
    port: path == null ? (port ?? 6379) : undefined,
    database: Number(db ?? 0),
  });
}

/** See {@link ./node-redis}: a refused introduction is nobody's error. */
function introduces({ name, args }: Command): boolean {
  return name === 'client' && String(args[0]).toUpperCase() === 'SETINFO';
}
