import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFindings, type Finding } from '../../../instrumentation/diagnosis/findings';
import {
  type Exhaustible,
  exhaustibles,
  type Usage,
  watchHeadroom,
} from '../../../instrumentation/diagnosis/headroom';
import { createLog } from '../../../instrumentation/log';

function setUp(usage: Usage | (() => Usage)) {
  const found: Finding[] = [];
  const lines: string[] = [];
  const findings = createFindings(finding => found.push(finding));
  const thing: Exhaustible = {
    code: 'heap_headroom',
    subject: 'the V8 heap',
    share: 0.9,
    unit: 'bytes',
    read: typeof usage === 'function' ? usage : () => usage,
  };
  const watch = watchHeadroom(
    findings,
    createLog('warn', line => lines.push(line)),
    [thing],
  );
  for (let i = 0; i < 3; i++) {
    watch.look();
    findings.look();
  }
  return { found, lines };
}

test('what is within a tenth of its limit is found, with both numbers', () => {
  assert.deepEqual(
    setUp({ used: 90, limit: 100 }).found.map(({ code, subject, severity, evidence }) => [
      code,
      subject,
      severity,
      evidence,
    ]),
    [['heap_headroom', 'the V8 heap', 'critical', { used_bytes: 90, limit_bytes: 100 }]],
  );
});

test('what is just below it, or can not be read, is not', () => {
  for (const usage of [
    { used: 89.9, limit: 100 },
    { used: undefined, limit: 100 },
    { used: 100, limit: undefined },
  ]) {
    assert.deepEqual(setUp(usage).found, []);
  }
});

test('a reading that fails is one warning and hides nothing else', () => {
  const { found, lines } = setUp(() => {
    throw new Error('no /proc here');
  });
  assert.deepEqual(found, []);
  assert.deepEqual(lines, ['otel-vitals warn: looking at what runs out failed: no /proc here\n']);
});

test('heap, memory and descriptors of this process are read, and lie within their limits', () => {
  const read = exhaustibles().map(thing => [thing.code, thing.read()] as const);
  assert.deepEqual(
    read.map(([code]) => code),
    ['heap_headroom', 'memory_headroom', 'file_descriptors'],
  );
  for (const [code, { used, limit }] of read) {
    if (code === 'file_descriptors' && process.platform !== 'linux') continue;
    assert.ok(used! > 0 && used! < limit!, `${code}: ${used} of ${limit}`);
  }
});
