import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  EndpointAnalyzer,
  PerformanceMonitor,
  ResponseTiming,
  serverTiming,
  traceIdOf,
} from '../../../../toolkit/network';
import { Endpoint } from '../../../../toolkit/network/server/endpoints/endpoint';

test('requests are the sum over all endpoints, and of each the sum over what came of them', () => {
  const outcome = fc.constantFrom(
    { status: 200 },
    { status: 404 },
    { status: 500 },
    { error: 'e' },
    { aborted: true },
  );
  const requests = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 20 }), fc.double({ min: 0, max: 200_000, noNaN: true }), outcome),
    { minLength: 1, maxLength: 300 },
  );
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 10 }), (all, maxEndpoints) => {
      const analyzer = new EndpointAnalyzer({ name: 'x', maxEndpoints });
      const seen = new Map<string, number[]>();
      for (const [i, ms, how] of all) {
        analyzer.record(`GET /${i}`, ms, how);
        const name =
          seen.has(`GET /${i}`) || [...seen.keys()].filter(one => one !== '_OTHER').length < maxEndpoints
            ? `GET /${i}`
            : '_OTHER';
        seen.set(name, [...(seen.get(name) ?? []), ms]);
      }
      const stats = analyzer.stats();
      analyzer.close();
      assert.deepEqual(new Set(stats.map(one => one.endpoint)), new Set(seen.keys()));
      assert.equal(
        stats.reduce((sum, { count }) => sum + count, 0),
        all.length,
      );
      for (const one of stats) {
        const times = seen.get(one.endpoint)!.toSorted((a, b) => a - b);
        assert.equal(one.count, times.length);
        assert.equal(one.minMs, times[0]);
        assert.equal(one.maxMs, times.at(-1));
        const mean = times.reduce((a, b) => a + b, 0) / times.length;
        assert.ok(Math.abs(one.meanMs - mean) <= mean * 1e-9);
        assert.equal(one.slow, times.filter(ms => ms >= 1000).length);
        for (const [q, found] of [
          [0.5, one.p50Ms],
          [0.95, one.p95Ms],
          [0.99, one.p99Ms],
        ] as const) {
          const exact = times[Math.ceil(q * times.length) - 1]!;
          // Past two minutes there is one bucket, and below a tenth of a millisecond one.
          if (exact > 120_000) assert.ok(found > 110_000);
          else assert.ok(Math.abs(found - exact) <= exact * 0.1 + 0.1, `p${q * 100}: ${found} for ${exact}`);
        }
      }
      assert.equal(
        stats.reduce((sum, { errors }) => sum + errors.server_error, 0),
        all.filter(([, , how]) => 'error' in how || ('status' in how && how.status === 500)).length,
      );
    }),
    { numRuns: 200 },
  );
});

test('what is recent is of the last one to two minutes', () => {
  let now = 0;
  const endpoint = new Endpoint('GET /', 1000, () => now);
  endpoint.record(10, undefined);
  now = 59_000;
  assert.deepEqual([endpoint.stats().recent.count, endpoint.stats().count], [1, 1]);
  now = 119_000;
  endpoint.record(20, undefined);
  assert.deepEqual([endpoint.stats().recent.count, endpoint.stats().recent.minMs], [2, 10]);
  now = 120_000;
  assert.deepEqual([endpoint.stats().recent.count, endpoint.stats().recent.minMs], [1, 20]);
  now = 600_000;
  assert.deepEqual(
    [endpoint.stats().recent.count, endpoint.stats().recent.p99Ms, endpoint.stats().count],
    [0, 0, 2],
  );
});

test('what is slow or fails comes with what to do', () => {
  const analyzer = new EndpointAnalyzer({ name: 'x', slowMs: 100 });
  const record = (endpoint: string, times: readonly number[], how = {}): void => {
    for (const ms of times) analyzer.record(endpoint, ms, how);
  };
  record('GET /good', new Array(100).fill(10));
  record('GET /slow', [...new Array(90).fill(10), ...new Array(10).fill(200)]);
  record('GET /tail', [...new Array(97).fill(2), 90, 90, 90]);
  record('GET /broken', new Array(90).fill(10));
  record('GET /broken', new Array(10).fill(10), { status: 500 });
  record('GET /few', new Array(19).fill(500), { status: 500 });
  const { recommendations, slow, requests, errors } = analyzer.report();
  analyzer.close();
  assert.deepEqual(recommendations.map(({ code, endpoint }) => [endpoint, code]).toSorted(), [
    ['GET /broken', 'server_errors'],
    ['GET /slow', 'slow_endpoint'],
    ['GET /tail', 'slow_tail'],
  ]);
  assert.deepEqual(
    slow.map(({ endpoint }) => endpoint),
    ['GET /slow'],
  );
  assert.deepEqual([requests, errors], [419, 29]);
  assert.throws(
    () => analyzer.record('GET /', -1),
    /Expected ms to be a number of milliseconds of zero or more, got -1/,
  );
  assert.throws(() => new EndpointAnalyzer({ name: 'x', maxEndpoints: 0 }), /Expected maxEndpoints/);
});

test('a trace id is read from a traceparent that is valid, and from nothing else', () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const parent = 'b7ad6b7169203331';
  for (const [header, id] of [
    [`00-${trace}-${parent}-01`, trace],
    [`01-${trace}-${parent}-01-more`, trace],
    [`00-${trace}-${parent}-01-more`, undefined],
    [`ff-${trace}-${parent}-01`, undefined],
    [`00-${'0'.repeat(32)}-${parent}-01`, undefined],
    [`00-${trace}-${'0'.repeat(16)}-01`, undefined],
    [`00-${trace.toUpperCase()}-${parent}-01`, undefined],
    ['', undefined],
    [undefined, undefined],
    [['a', 'b'], undefined],
  ] as const) {
    assert.equal(traceIdOf(header), id, String(header));
  }
});

test('Server-Timing holds what a header may hold', () => {
  const timing = new ResponseTiming();
  assert.throws(
    () => timing.mark('a b'),
    /Expected name to be letters, digits and -_. as a token of HTTP, got a b/,
  );
  assert.throws(
    () => timing.mark('a', Number.NaN),
    /Expected ms to be a number of milliseconds of zero or more, got NaN/,
  );
  for (let i = 0; i < 60; i++) assert.equal(timing.mark(`m${i}`, i), i < 50);
  assert.equal(
    serverTiming([{ name: 'a', ms: 1.23456, description: 'x\r\ny "z"' }]),
    'a;desc="x??y \\"z\\"";dur=1.23',
  );
  assert.throws(
    () =>
      timing.measure('x', () => {
        throw new Error('own');
      }),
    /own/,
  );
  assert.throws(() => new PerformanceMonitor({ slowMs: 0 }), /Expected slowMs/);
  assert.throws(
    () => new PerformanceMonitor({ serverTiming: 'yes' as never }),
    /Expected serverTiming to be a function, got string/,
  );
});
