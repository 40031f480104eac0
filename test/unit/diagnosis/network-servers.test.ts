import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFindings, type Finding } from '../../../instrumentation/diagnosis/findings';
import { watchNetworkServers } from '../../../instrumentation/diagnosis/network-servers';
import { createLog } from '../../../instrumentation/log';
import { EndpointAnalyzer } from '../../../toolkit/network';
import { compressionSource } from '../../../toolkit/network/server/compression/stats';
import { connectionPoolSource } from '../../../toolkit/network/server/connections/stats';
import { http2Source } from '../../../toolkit/network/server/http2/stats';
import { registerSource } from '../../../toolkit/sources';

const lines: string[] = [];
const log = createLog('warn', line => lines.push(line));

function watch(t: { after(fn: () => void): void }) {
  const found: Finding[] = [];
  const findings = createFindings(finding => found.push(finding));
  const network = watchNetworkServers(findings, log);
  t.after(() => assert.deepEqual(lines, []));
  return {
    codes: () => found.map(({ code, subject }) => `${code} ${subject}`),
    found,
    /** Looks so many times, with something done before each. */
    look(times: number, before: () => void = () => {}): void {
      for (let i = 0; i < times; i++) {
        before();
        network.look();
        findings.look();
      }
    },
  };
}

test('endpoints that are slow or fail for half a minute are findings, and those that do not are none', t => {
  const analyzer = new EndpointAnalyzer({ name: 'shop', slowMs: 100 });
  t.after(() => analyzer.close());
  const { codes, found, look } = watch(t);
  const traffic = (): void => {
    for (let i = 0; i < 100; i++) {
      analyzer.record('GET /good', 10, i < 4 ? { status: 500 } : {});
      analyzer.record('GET /slow', i < 10 ? 200 : 10);
      analyzer.record('GET /broken', 10, i < 10 ? { status: 500 } : {});
      analyzer.record('GET /refused', 10, { status: 404 });
      if (i < 19) analyzer.record('GET /rare', 500, { status: 500 });
    }
  };
  look(3, traffic);
  assert.deepEqual(codes(), []);
  look(1, traffic);
  assert.deepEqual(codes(), ['http_slow_endpoint shop GET /slow', 'http_failing_endpoint shop GET /broken']);
  assert.deepEqual(found[1]!.evidence, { requests: 100, failed: 10, error_rate: 0.1 });
  assert.equal(found[0]!.evidence['slow'], 10);
});

test('connections that are not reused are a finding after three minutes of many requests', t => {
  let stats = { requests: 0, reused: 0, open: 1, created: 0, failed: 0 };
  t.after(registerSource({ ...connectionPoolSource, name: 'calls', stats: () => stats }));
  const { codes, look } = watch(t);
  const busy = (requests: number, reused: number) => (): void => {
    stats = { ...stats, requests: stats.requests + requests, reused: stats.reused + reused };
  };
  look(30, busy(1000, 900));
  look(30, busy(99, 0));
  look(17, busy(100, 10));
  assert.deepEqual(codes(), []);
  look(1, busy(100, 10));
  assert.deepEqual(codes(), ['http_connections_not_reused calls']);
});

test('compression that spares next to nothing of much is a finding', t => {
  let sum = { input: 0, output: 0 };
  const stats = () => ({ encodings: { gzip: sum, br: { input: 0, output: 0 } } });
  t.after(registerSource({ ...compressionSource, name: 'api', stats }));
  const { codes, found, look } = watch(t);
  const send = (input: number, output: number) => (): void => {
    sum = { input: sum.input + input, output: sum.output + output };
  };
  look(30, send(10_000_000, 2_000_000));
  look(30, send(1000, 1000));
  assert.deepEqual(codes(), []);
  look(18, send(2_000_000, 1_900_000));
  assert.deepEqual(codes(), ['http_compression_useless api']);
  assert.deepEqual(found[0]!.evidence, { input_bytes: 2_000_000, output_bytes: 1_900_000, ratio: 0.95 });
});

test('a peer that floods a server of HTTP/2 is a finding at once', t => {
  const flooded = { resets: 0, settings: 0, pings: 0, invalid_frames: 0 };
  t.after(
    registerSource({ ...http2Source, name: 'edge', stats: () => ({ sessions: { flooded, open: 3 } }) }),
  );
  const { codes, found, look } = watch(t);
  look(10);
  assert.deepEqual(codes(), []);
  flooded.resets++;
  look(1);
  assert.deepEqual(codes(), ['http2_flood edge']);
  assert.deepEqual(found[0]!.evidence, {
    resets: 1,
    settings: 0,
    pings: 0,
    invalid_frames: 0,
    sessions_open: 3,
  });
});
