import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExportReport } from '../../../exporters/otlp/exporter';
import { watchReceivers } from '../../../exporters/otlp/receivers';
import { SendError } from '../../../exporters/otlp/sender';

function watched() {
  const warnings: string[] = [];
  const told: string[] = [];
  const tell = watchReceivers({
    warn: line => void warnings.push(line),
    debug: line => void told.push(line),
  });
  const report = (given: Partial<ExportReport>): void =>
    tell({
      signal: 'traces',
      protocol: 'http/protobuf',
      receiver: 'http://collector:4318',
      items: 10,
      rejection: { count: 0, message: '' },
      error: undefined,
      seconds: 0.1,
      ...given,
    });
  return { warnings, told, report };
}

const error = new SendError('ECONNREFUSED', 'connect ECONNREFUSED');

test('a receiver that is gone is one warning over all signals, and one when it is back', () => {
  const { warnings, told, report } = watched();
  report({});
  for (const signal of ['traces', 'metrics', 'logs', 'metrics'] as const) report({ signal, error });
  assert.deepEqual(warnings, [
    'OTLP: http://collector:4318 did not get traces: connect ECONNREFUSED; the application runs on, and telemetry is lost until it does',
  ]);
  assert.equal(told.length, 3, 'the rest is for level debug');
  for (const signal of ['traces', 'metrics', 'logs'] as const) report({ signal });
  assert.equal(warnings.length, 2);
  assert.equal(warnings[1], 'OTLP: http://collector:4318 takes telemetry again; exports lost meanwhile: 4');
});

test('a receiver that takes metrics but no traces is one warning, however often', () => {
  const { warnings, report } = watched();
  for (let i = 0; i < 5; i++) {
    report({ error });
    report({ signal: 'metrics' });
  }
  assert.equal(warnings.length, 1);
});

test('receivers fail each by itself, and a second failure is told again', () => {
  const { warnings, report } = watched();
  report({ error });
  report({ error, receiver: 'http://other:4318' });
  report({});
  report({ error });
  assert.deepEqual(
    warnings.map(line => /OTLP: (\S+) (did not|takes)/.exec(line)?.slice(1).join(' ')),
    [
      'http://collector:4318 did not',
      'http://other:4318 did not',
      'http://collector:4318 takes',
      'http://collector:4318 did not',
    ],
  );
});

test('an end of the process promises nothing', () => {
  const { warnings, report } = watched();
  report({ error: new SendError('aborted', 'the process ends, and it has not answered') });
  assert.deepEqual(warnings, [
    'OTLP: http://collector:4318 did not get traces: the process ends, and it has not answered',
  ]);
});

test('a partial success is told once, with the words of the receiver cut to a line', () => {
  const { warnings, report } = watched();
  report({ rejection: { count: 3, message: 'x'.repeat(500) } });
  report({ rejection: { count: 4, message: 'y' } });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /refused 3 of 10 spans: x{200}; said once/);
  const hint = watched();
  hint.report({ signal: 'metrics', rejection: { count: 0, message: 'use https' } });
  assert.match(hint.warnings[0]!, /says of metrics: use https; said once/);
});
