import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagLogger } from '../../../exporters/diag';
import { createLog } from '../../../instrumentation/log';

function logger() {
  const lines: string[] = [];
  let time = 0;
  const log = createLog('all', line => void lines.push(line.trim().replace('otel-vitals ', '')));
  const pass = (ms: number): void => {
    time += ms;
  };
  return { lines, diag: createDiagLogger(log, () => time), pass };
}

test('each level of OpenTelemetry comes out at its own, all parts of a message on one line', () => {
  const { lines, diag } = logger();
  diag.error('broken', new Error('why'), { code: 7 });
  diag.warn('careful');
  diag.info('well');
  diag.debug('quiet\nnews');
  diag.verbose('chatter');
  assert.deepEqual(lines, [
    'error: broken why {"code":7}',
    'warn: careful',
    'info: well',
    'debug: quiet | news',
    'debug: chatter',
  ]);
});

test('the same thing is said once a minute, with how often it was held back', () => {
  const { lines, diag, pass } = logger();
  for (let i = 1; i <= 4; i++) diag.warn(`Dropped ${i} spans because maxQueueSize reached`);
  assert.deepEqual(lines, ['warn: Dropped 1 spans because maxQueueSize reached']);
  pass(60_000);
  diag.warn('Dropped 5 spans because maxQueueSize reached');
  assert.equal(lines[1], 'warn: Dropped 5 spans because maxQueueSize reached (and 3 times before)');
});

test('an exception that comes as JSON with its stack is its message', () => {
  const { lines, diag } = logger();
  diag.error('{"stack":"Error: lost\\n    at here","message":"lost","name":"Error"}');
  diag.error('{"broken", "message"');
  assert.deepEqual(lines, ['error: lost', 'error: {"broken", "message"']);
});

test('a logger that takes its place is not reported, and a long message is cut', () => {
  const { lines, diag } = logger();
  diag.warn('Current logger will be overwritten from Error\n    at setLogger');
  diag.warn('x'.repeat(10_000));
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  diag.warn('circle', circle);
  assert.deepEqual(
    lines.map(line => line.length),
    ['warn: '.length + 500, 'warn: circle [object Object]'.length],
  );
});
