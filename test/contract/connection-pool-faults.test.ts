import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectionPool } from '../../toolkit/object-pool';
import { assertPoolLaws } from '../helpers/pools';

interface Connection {
  readonly id: number;
}
type Fault = 'none' | 'throws' | 'rejects' | 'late' | 'hangs' | 'broken';

const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'throws', 'rejects', 'late', 'hangs', 'broken');
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('acquire' as const), abort: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const expected = new Set([
  'POOL_CREATE_FAILED',
  'POOL_ACQUIRE_ABORTED',
  'POOL_ACQUIRE_TIMEOUT',
  'POOL_CLOSED',
  'POOL_QUEUE_FULL',
]);

/** Connections whose making, pinging and closing fail as a list of faults says. */
class Faulty {
  readonly open = new Map<number, Connection>();
  readonly closed = new Set<number>();
  #made = 0;
  constructor(readonly faults: Fault[]) {}

  create = (): Promise<Connection> | Connection => {
    const connection = { id: ++this.#made };
    const give = (): Connection => {
      this.open.set(connection.id, connection);
      return connection;
    };
    switch (this.#next()) {
      case 'throws':
        throw new Error('create threw');
      case 'rejects':
        return Promise.reject(new Error('create rejected'));
      case 'late':
        return turn().then(give);
      case 'hangs':
        return new Promise(() => {});
      case 'broken':
        return undefined as unknown as Connection;
      default:
        return give();
    }
  };

  ping = (): unknown => {
    const next = this.#next();
    if (next === 'throws') throw new Error('ping threw');
    if (next === 'rejects') return Promise.reject(new Error('ping rejected'));
    if (next === 'late') return turn().then(() => true);
    if (next === 'hangs') return new Promise(() => {});
    return next !== 'broken';
  };

  destroy = ({ id }: Connection): unknown => {
    assert.ok(this.open.delete(id), `connection ${id} was closed twice, or never open`);
    this.closed.add(id);
    const next = this.#next();
    if (next === 'throws') throw new Error('destroy threw');
    if (next === 'rejects') return Promise.reject(new Error('destroy rejected'));
    return next === 'hangs' ? new Promise(() => {}) : undefined;
  };

  #next(): Fault {
    return this.faults.shift() ?? 'none';
  }
}

test('whatever fails, hangs or comes late, no connection is lost, shared or closed twice, and nobody waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 40 }),
      fc.array(fault, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (commands, faults, maxActive, pings) => {
        const faulty = new Faulty(faults);
        const pool = new ConnectionPool<Connection>({
          name: 'faulty',
          create: faulty.create,
          destroy: faulty.destroy,
          ...(pings && { ping: faulty.ping }),
          maxActive,
          maxIdle: maxActive - 1,
          maxPending: 8,
          createTimeoutMs: 15,
          pingTimeoutMs: 15,
          destroyTimeoutMs: 15,
          acquireTimeoutMs: 5000,
        });
        const held: Connection[] = [];
        const waits = new Set<Promise<void>>();
        const controllers: AbortController[] = [];
        const acquire = (abort: boolean): void => {
          const controller = new AbortController();
          controllers.push(controller);
          const wait = pool.acquire({ signal: controller.signal }).then(
            connection => {
              assert.ok(!held.includes(connection), 'one connection has two users');
              assert.ok(faulty.open.has(connection.id), 'a closed connection was handed out');
              held.push(connection);
            },
            error => assert.ok(expected.has(error.code), String(error)),
          );
          waits.add(wait);
          void wait.finally(() => waits.delete(wait));
          if (abort) controller.abort();
        };
        for (const one of commands) {
          const pick = <T>(list: T[], which: number): T | undefined =>
            list.length === 0 ? undefined : list.splice(which % list.length, 1)[0];
          if (one.do === 'acquire') acquire(one.abort);
          else if (one.do === 'turn') {
            // Within a turn a new connection may be asked for before the old one is told to close.
            await turn();
            assert.ok(faulty.open.size <= maxActive, `${faulty.open.size} connections are open`);
          } else if (one.do === 'clear') pool.clear();
          else if (one.do === 'abort') pick(controllers, one.which)?.abort();
          else if (one.do === 'invalidate') {
            const all = [...faulty.open.values()];
            if (all.length > 0) pool.invalidate(all[one.which % all.length]!);
          } else {
            const connection = pick(held, one.which);
            if (connection !== undefined) pool[one.do](connection);
          }
          assertPoolLaws(pool.stats());
        }
        // No more faults: everybody who waits is served in the end, if those who hold give back.
        faulty.faults.length = 0;
        while (waits.size > 0) {
          for (const connection of held.splice(0)) pool.release(connection);
          await Promise.race([...waits, turn()]);
        }
        assert.equal(pool.stats().pending, 0);
        for (const connection of held.splice(0)) pool.release(connection);
        await pool.close();
        const stats = pool.stats();
        assertPoolLaws(stats);
        assert.equal(stats.failures.timeout, 0, 'somebody waited for the deadline');
        assert.deepEqual([stats.idle, stats.used, faulty.open.size], [0, 0, 0]);
      },
    ),
    { numRuns: Number(process.env['FC_RUNS'] ?? 60) },
  );
});
