import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import type { RedisClient } from '../../toolkit/cache';
import { TieredCache } from '../../toolkit/cache';
import { type Client, connect, endClient } from '../helpers/caches';
import { type Fault, type FaultyProxy, startFaultyProxy } from '../helpers/faulty-proxy';
import { type RedisServer, startRedis } from '../helpers/redis';
import { until } from '../helpers/until';

const ttlMs = { l1: 20, l2: 60, l3: 80 };
/** What the event loop and Redis may add to a time to live on a busy machine. */
const slackMs = 150;
const keys = ['a', 'b'];

let servers: Record<'l2' | 'l3', RedisServer>;
let admins: Record<'l2' | 'l3', Client>;
/** Of each process a network of its own to each server. */
const proxies: FaultyProxy[] = [];
const processes: Record<'l2' | 'l3' | 'subscriber', Client>[] = [];

before(async () => {
  const [l2, l3] = await Promise.all([startRedis(), startRedis()]);
  servers = { l2, l3 };
  admins = { l2: await connect(l2.url), l3: await connect(l3.url) };
  for (let i = 0; i < 2; i++) {
    const [two, three] = [await startFaultyProxy(l2.port), await startFaultyProxy(l3.port)];
    proxies.push(two, three);
    processes.push({
      l2: await connect(`redis://127.0.0.1:${two.port}`),
      l3: await connect(`redis://127.0.0.1:${three.port}`),
      subscriber: await connect(`redis://127.0.0.1:${three.port}`),
    });
  }
});
after(async () => {
  for (const clients of [...processes, admins])
    for (const client of Object.values(clients)) endClient(client);
  await Promise.all([...proxies, ...Object.values(servers ?? {})].map(one => one.close()));
});

/** The time of each value of a key, by when the write that made it was over; values are 1, 2, 3, ... */
class History {
  readonly source = new Map<string, number>();
  readonly #writtenAt = new Map<string, number[]>();

  next(key: string): number {
    return (this.source.get(key) ?? 0) + 1;
  }
  written(key: string, value: number): void {
    const times = this.#writtenAt.get(key) ?? [];
    times[value] = performance.now();
    this.#writtenAt.set(key, times);
  }
  /** Milliseconds for which `value` had been overtaken at `time`; 0 where it had not. */
  ageOf(key: string, value: number, time: number): number {
    const times = this.#writtenAt.get(key) ?? [];
    const overtaken = times.slice(value + 1).find(one => one !== undefined);
    return overtaken === undefined ? 0 : Math.max(0, time - overtaken);
  }
}

const faults: readonly Fault[] = ['none', 'none', 'slow', 'hang', 'reset', 'lose answers'];
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('break' as const),
      which: fc.nat(3),
      fault: fc.constantFrom(...faults),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      tier: fc.constantFrom('l2', 'l3'),
      on: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('clock' as const),
      process: fc.nat(1),
      hours: fc.constantFrom(-1, 0, 1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      process: fc.nat(1),
      key: fc.constantFrom(...keys),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      process: fc.nat(1),
      key: fc.constantFrom(...keys),
      how: fc.constantFrom('key', 'tag', 'prefix'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      process: fc.nat(1),
      key: fc.constantFrom(...keys),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(5, 30, 90, 300) }),
  },
);

interface Tiers {
  readonly l1: boolean;
  readonly l2: boolean;
  readonly l3: boolean;
}
const compositions: Readonly<Record<string, Tiers>> = {
  Redis: { l1: false, l2: true, l3: false },
  'memory and Redis': { l1: true, l2: true, l3: false },
  'Redis and another Redis': { l1: false, l2: true, l3: true },
  'memory, Redis and another Redis': { l1: true, l2: true, l3: true },
};

let made = 0;
function makePair({ l1, l2, l3 }: Tiers, history: History, hours: readonly number[]): TieredCache<number>[] {
  const name = `faults-${process.pid}-${++made}`;
  const remote = (client: RedisClient, ttlMs: number) => ({
    client,
    ttlMs,
    timeoutMs: 40,
    breaker: { failures: 3, openMs: 10, maxOpenMs: 40 },
  });
  return processes.map(
    (clients, i) =>
      new TieredCache<number>({
        name,
        jitter: 0,
        l1: l1 && { ttlMs: ttlMs.l1 },
        ...(l2 && { l2: remote(clients.l2, ttlMs.l2) }),
        ...(l3 && { l3: remote(clients.l3, ttlMs.l3) }),
        // Where there is no third tier, messages pass by no server that this one listens to.
        invalidation: l3 ? { subscriber: clients.subscriber } : {},
        wallClock: () => Date.now() + hours[i]! * 3_600_000,
        source: {
          load: key => history.source.get(key),
          write: (key, value) => void history.source.set(key, value),
        },
      }),
  );
}

/** Ends all faults, and waits until every client has a connection that works. */
async function mend(): Promise<void> {
  for (const proxy of proxies) proxy.set('none');
  for (const admin of Object.values(admins)) await admin.sendCommand(['CONFIG', 'SET', 'maxmemory', '0']);
  for (const { l2, l3, subscriber } of processes) {
    for (const client of [l2, l3]) {
      await until(() =>
        client.sendCommand(['PING']).then(
          () => true,
          () => false,
        ),
      );
    }
    await until(() => subscriber.isReady);
  }
}

for (const [name, tiers] of Object.entries(compositions)) {
  test(`${name}, over networks that break: no call fails, no read is made up, none older than is promised, and mended all is as it was`, async () => {
    const boundMs = (tiers.l1 ? ttlMs.l1 : 0) + ttlMs.l2 + (tiers.l3 ? ttlMs.l3 : 0) + slackMs;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), async steps => {
        const history = new History();
        const hours = [0, 0];
        const caches = makePair(tiers, history, hours);
        const own = [new Map<string, number>(), new Map<string, number>()];
        const check = async (process: number, key: string): Promise<void> => {
          const least = own[process]!.get(key) ?? 0;
          const startedAt = performance.now();
          const value = await caches[process]!.get(key);
          if (value === undefined) assert.equal(history.source.get(key), undefined);
          else {
            assert.ok(value <= history.source.get(key)!, `${key} was never ${value}`);
            assert.ok(value >= least, `process ${process} wrote ${key} = ${least}, and then got ${value}`);
            const age = history.ageOf(key, value, startedAt);
            assert.ok(age <= boundMs, `${key} = ${value} was overtaken ${age} ms ago`);
          }
        };
        for (const one of steps) {
          if (one.do === 'break') proxies[one.which]!.set(one.fault);
          else if (one.do === 'refuse') {
            // Redis then answers writes with an error.
            const command = ['CONFIG', 'SET', 'maxmemory', one.on ? '1' : '0'];
            await admins[one.tier as 'l2' | 'l3'].sendCommand(command);
          } else if (one.do === 'clock') hours[one.process] = one.hours;
          else if (one.do === 'wait') await wait(one.ms);
          else if (one.do === 'get') {
            await Promise.all(Array.from({ length: one.times }, () => check(one.process, one.key)));
          } else {
            const { process, key } = one;
            const cache = caches[process]!;
            const value = history.next(key);
            if (one.do === 'set') await cache.set(key, value, { tags: ['t'] });
            else {
              history.source.set(key, value);
              if (one.how === 'key') await cache.invalidate(key);
              else if (one.how === 'prefix') await cache.invalidatePrefix(key);
              // What was loaded has no tag.
              else {
                await cache.invalidateTag('t');
                await cache.invalidate(key);
              }
            }
            history.written(key, value);
            own[process]!.set(key, value);
          }
        }

        await mend();
        await until(() => caches.every(cache => cache.stats().invalidations.repairs === 0));
        const repairedAt = performance.now();
        for (const process of [0, 1]) {
          for (const key of keys) {
            // Only what is in memory and nobody was told of may still be old.
            await until(async () => (await caches[process]!.get(key)) === history.source.get(key));
            assert.ok(
              performance.now() - repairedAt < boundMs + 1000,
              'it took longer than any time to live',
            );
          }
        }
        // And every tier is asked again.
        for (const cache of caches) {
          await until(async () => {
            await cache.get(`probe ${++made}`);
            const { l2, l3 } = cache.stats();
            return [l2, l3].every(tier => tier === undefined || tier.breaker === 'closed');
          });
        }
        await Promise.all(caches.map(cache => cache.close()));
      }),
      { numRuns: 30, interruptAfterTimeLimit: 60_000 },
    );
  });
}
