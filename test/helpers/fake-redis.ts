import type { RedisClient } from '../../toolkit/cache';
import { readEnvelope, versionIn, writeEnvelope } from '../../toolkit/cache/remote/envelope';
import { setIfOther, setIfSame } from '../../toolkit/cache/remote/scripts';

type Args = readonly (string | Buffer)[];

/** A Redis client in memory whose answers a test can hold back or make fail. It stands for the client, not for Redis. */
export class FakeRedis implements RedisClient {
  isReady = true;
  readonly entries = new Map<string, Buffer>();
  /** What was asked of keys of entries, in small letters. */
  readonly calls: string[] = [];
  readonly ttls: number[] = [];
  readonly log: [id: string, fields: string[]][] = [];
  readonly published: string[] = [];
  /** Runs before every answer to what is recorded in `calls`; throw to fail it, return a promise to delay it. */
  before: (command: string, key: string) => unknown = () => {};

  /** What the cache has written under the key; undefined where that is nothing or a deletion. */
  value(key: string): unknown {
    const bytes = this.entries.get(key);
    if (bytes === undefined) return undefined;
    const { kind, payload } = readEnvelope(bytes);
    return kind === 'value' ? JSON.parse(Buffer.from(payload).toString()) : undefined;
  }

  /** As another process would have written it. */
  put(key: string, value: unknown, more: { version?: string; freshMs?: number; tags?: string[] } = {}): void {
    const { version = 'elsewher', freshMs = 60_000, tags } = more;
    const bytes = writeEnvelope({
      kind: 'value',
      version,
      freshUntilWall: Date.now() + freshMs,
      loadMs: 0,
      position: { ms: 0, seq: 0 },
      tags,
      serializer: 1,
      compression: 0,
      payload: Buffer.from(JSON.stringify(value)),
    });
    this.entries.set(key, bytes);
  }

  async sendCommand(args: Args): Promise<never> {
    return (await this.#run(args)) as never;
  }

  async #run([name, ...args]: Args): Promise<unknown> {
    const command = String(name).toLowerCase();
    const key = String(command.startsWith('eval') ? args[2] : args[0]);
    if (command === 'xrange') return this.log;
    if (command === 'xadd') {
      const id = `${this.log.length + 1}-0`;
      this.log.push([id, args.slice(-2).map(String)]);
      return id;
    }
    if (command === 'publish') return this.published.push(String(args[1]));
    // Redis has read the value by the time its answer is delayed.
    const value = this.entries.get(key) ?? null;
    const script = [setIfSame, setIfOther].find(({ digest }) => digest === args[0]);
    const deletes = command === 'set' && readEnvelope(args[1] as Buffer).kind === 'deleted';
    const call = script ? 'replace' : deletes ? 'delete' : command;
    this.calls.push(`${call} ${key}`);
    await this.before(call, key);
    if (command === 'get') return value;
    const present = this.entries.get(key);
    if (script !== undefined) {
      const isSame =
        (present === undefined ? '' : versionIn(present)) === (args[3] as Buffer).toString('latin1');
      if (isSame !== (script === setIfSame)) return 0;
      this.entries.set(key, args[4] as Buffer);
      return 1;
    }
    if (args.includes('NX') && present !== undefined) return null;
    this.entries.set(key, Buffer.from(args[1]!));
    if (!deletes) this.ttls.push(Number(args[3]));
    return 'OK';
  }
}

/** A promise and its resolve function. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>(settle => {
    resolve = settle;
  });
  return { promise, resolve };
}
