import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attribute, metric } from '../../../instrumentation/catalogue/define';
import { meterCache } from '../../../instrumentation/meters/cache';
import type { MeterContext } from '../../../instrumentation/meters/context';
import { meterSources, seriesOf } from '../../../instrumentation/meters/sources';
import { CounterCell, HistogramCell } from '../../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { TieredCache } from '../../../toolkit/cache';
import { FixedHistogram, type HistogramSnapshot } from '../../../toolkit/histogram';
import { liveSources, registerSource } from '../../../toolkit/sources';
import { collectGarbage, collectUntil } from '../../helpers/garbage';

interface Stats {
  readonly done: number;
  readonly size: number;
  readonly time: HistogramSnapshot;
  readonly rare?: number;
}

const kind = { kind: 'test_thing', layout: 3 };
const thing = attribute('thing.name', 'Name of the thing', { bound: 'the things of this test' });
const done = metric('cache', 'vitals.test.done', 'counter', '{thing}', 'Things done', {
  attributes: [thing],
});
const size = metric('cache', 'vitals.test.size', 'gauge', '{thing}', 'Things there', { attributes: [thing] });
const rare = metric('cache', 'vitals.test.rare', 'gauge', '{thing}', 'What few have', {
  attributes: [thing],
});
const time = metric('cache', 'vitals.test.time', 'histogram', 's', 'Time of things', {
  attributes: [thing],
  buckets: [1, 2],
});
const { counter, gauge, histogram } = seriesOf<Stats>();
const meterThings = meterSources<Stats>(kind, name => ({ 'thing.name': name }), [
  counter(done, {}, stats => stats.done),
  gauge(size, {}, stats => stats.size),
  gauge(rare, {}, stats => stats.rare),
  histogram(time, {}, stats => stats.time),
]);

/** The counters of a thing, apart from the thing, as the registry wants it. */
class Counters {
  done = 0;
  size = 0;
  readonly time: FixedHistogram;
  constructor(bounds: readonly number[] = [1, 2]) {
    this.time = new FixedHistogram(bounds);
  }
  stats = (): Stats => ({ done: this.done, size: this.size, time: this.time.snapshot() });
}

class Thing {
  readonly counters: Counters;
  readonly close: () => void;
  constructor(
    readonly name: string,
    bounds?: readonly number[],
  ) {
    const counters = new Counters(bounds);
    this.counters = counters;
    this.close = registerSource({ ...kind, name, stats: counters.stats }, this);
  }
  work(n: number): void {
    this.counters.done += n;
    this.counters.size += n;
    for (let i = 0; i < n; i++) this.counters.time.record(i % 3);
  }
}

function watch(limit = 2000) {
  const problems: unknown[] = [];
  const registry = new MetricRegistry(limit, error => problems.push(error));
  const stop = meterThings({ registry } as MeterContext);
  const values = (name: string): Map<string, number> => {
    const found = new Map<string, number>();
    for (const instrument of registry.read()) {
      if (instrument.metric.name !== name) continue;
      for (const cell of instrument.cells()) {
        const label = String(cell.attributes['thing.name'] ?? 'overflow');
        const value = cell instanceof HistogramCell ? cell.count : cell.value;
        if (value !== undefined) found.set(label, value);
      }
    }
    return found;
  };
  return { registry, problems, stop, values };
}

const sum = (values: Map<string, number>): number => [...values.values()].reduce((a, b) => a + b, 0);

test('whatever opens, works, closes and is collected, no counter falls and all that was counted shows', () => {
  const command = fc.oneof(
    fc.record({ do: fc.constant('open' as const), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('work' as const), which: fc.nat(), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('close' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('collect' as const) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), fc.integer({ min: 2, max: 5 }), (commands, limit) => {
      const { values, stop, problems } = watch(limit);
      const open: Thing[] = [];
      let worked = 0;
      let before = new Map<string, number>();
      try {
        for (const one of commands) {
          if (one.do === 'open') open.push(new Thing(one.name));
          else if (one.do === 'work' && open.length > 0) {
            open[one.which % open.length]!.work(one.n);
            worked += one.n;
          } else if (one.do === 'close' && open.length > 0) {
            open.splice(one.which % open.length, 1)[0]!.close();
          } else if (one.do === 'collect') {
            const now = values(done.name);
            for (const [name, value] of before) assert.ok(now.get(name)! >= value, `${name} fell`);
            before = now;
            assert.equal(
              sum(values(size.name)),
              open.reduce((total, { counters }) => total + counters.size, 0),
            );
          }
        }
        for (const thing of open.splice(0)) thing.close();
        assert.equal(sum(values(done.name)), worked);
        assert.equal(sum(values(time.name)), worked);
        assert.equal(values(size.name).size, 0);
        assert.deepEqual(problems, []);
      } finally {
        for (const thing of open) thing.close();
        stop();
      }
    }),
  );
});

test('a thing that opens and closes between two collections is counted in full', () => {
  const { values, stop } = watch();
  for (let i = 0; i < 5000; i++) {
    const thing = new Thing('short');
    thing.work(2);
    thing.close();
  }
  assert.deepEqual(values(done.name), new Map([['short', 10_000]]));
  assert.deepEqual(values(time.name), new Map([['short', 10_000]]));
  assert.deepEqual(values(size.name), new Map());
  stop();
});

test('thousands of names stay within the limit of series, and their sum stays right', () => {
  const { values, stop, registry } = watch(100);
  for (let i = 0; i < 5000; i++) {
    const thing = new Thing(`tenant ${i}`);
    thing.work(1);
    if (i % 50 === 0) for (const _ of registry.read());
    thing.close();
  }
  const counters = values(done.name);
  assert.equal(counters.size, 100);
  assert.equal(sum(counters), 5000);
  assert.equal(counters.get('overflow'), 5000 - 99);
  assert.equal(values(size.name).size, 0);
  assert.ok(registry.series <= 200, String(registry.series));
  stop();
});

test('gauges of names past the limit are added up in the overflow series and go with their sources', () => {
  const { values, stop } = watch(3);
  const things = Array.from({ length: 6 }, (_, i) => new Thing(`t${i}`));
  for (const thing of things) thing.work(2);
  assert.deepEqual(
    values(size.name),
    new Map([
      ['t0', 2],
      ['t1', 2],
      ['overflow', 8],
    ]),
  );
  for (const thing of things.slice(0, 5)) thing.close();
  assert.equal(sum(values(size.name)), 2);
  things[5]!.close();
  assert.equal(sum(values(size.name)), 0);
  stop();
});

test('what a source does not have is not shown', () => {
  const { values, stop } = watch();
  const thing = new Thing('plain');
  assert.equal(values(rare.name).size, 0);
  thing.close();
  stop();
});

test('a histogram by other buckets is refused and told of, and the rest of its source is read', () => {
  const { values, stop, problems } = watch();
  const thing = new Thing('odd', [1, 5]);
  thing.work(3);
  assert.deepEqual(values(done.name), new Map([['odd', 3]]));
  assert.deepEqual(values(time.name), new Map([['odd', 0]]));
  assert.match(String(problems[0]), /vitals\.test\.time: expected the bucket bounds 1 2, got 1 5/);
  thing.close();
  stop();
});

test('a source that throws is told of and spoils no other', () => {
  const { values, stop, problems } = watch();
  const bad = registerSource({
    ...kind,
    name: 'bad',
    stats: () => {
      throw new Error('broken source');
    },
  });
  const thing = new Thing('good');
  thing.work(1);
  assert.deepEqual(values(done.name), new Map([['good', 1]]));
  assert.match(String(problems[0]), /broken source/);
  bad();
  thing.close();
  stop();
});

test('a source whose totals begin anew does not pull its counter down', () => {
  const { values, stop } = watch();
  const thing = new Thing('again');
  thing.work(5);
  assert.equal(values(done.name).get('again'), 5);
  thing.counters.done = 2;
  assert.equal(values(done.name).get('again'), 7);
  thing.close();
  stop();
});

test('sources of a layout the meter does not know are passed over', () => {
  const { values, stop, problems } = watch();
  const end = registerSource({ ...kind, layout: 4, name: 'newer', stats: () => ({ other: true }) });
  assert.equal(values(done.name).size, 0);
  end();
  assert.deepEqual(problems, []);
  stop();
});

test('a meter that was stopped is told of nothing more', () => {
  const { values, stop } = watch();
  const thing = new Thing('late');
  stop();
  thing.work(1);
  thing.close();
  assert.equal(values(done.name).size, 0);
});

test('a thing dropped without closing is collected, and what it counted last still shows', async () => {
  const { values, stop } = watch();
  (() => {
    for (let i = 0; i < 100; i++) new Thing('dropped').work(3);
  })();
  assert.equal(values(size.name).get('dropped'), 300);
  await collectUntil(() => liveSources(kind.kind).length === 0);
  assert.deepEqual(values(done.name), new Map([['dropped', 300]]));
  assert.equal(values(size.name).size, 0);
  stop();
});

test('a cache dropped without closing is collected although a callback of its own leads to it', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterCache({ registry } as MeterContext);
  (() => {
    const owner: { cache?: TieredCache<object>; problem?: unknown } = {};
    owner.cache = new TieredCache({
      name: 'forgotten',
      onError: problem => {
        owner.problem = problem;
      },
    });
    void owner.cache.set('self', owner);
  })();
  await collectUntil(() => liveSources('cache').length === 0);
  const sets = [...registry.read()]
    .flatMap(instrument => [...instrument.cells()])
    .find(({ attributes }) => attributes['cache.operation'] === 'set' && attributes['cache.result'] === 'ok');
  assert.ok(sets instanceof CounterCell);
  assert.equal(sets.value, 1);
  stop();
});

test('sources that come and go leave no memory behind', () => {
  const { stop, registry } = watch();
  const churn = (rounds: number): void => {
    for (let i = 0; i < rounds; i++) {
      const thing = new Thing(`t${i % 10}`);
      thing.work(1);
      if (i % 100 === 0) for (const _ of registry.read());
      thing.close();
    }
  };
  const used = (): number => {
    collectGarbage();
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  churn(5000);
  const before = used();
  churn(20_000);
  const grown = used() - before;
  assert.ok(grown < 1_000_000, `${grown} bytes for 20000 sources`);
  stop();
});
