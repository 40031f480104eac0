import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type LogLevel } from '../../instrumentation/log';

function said(level: LogLevel): { lines: string[]; warnings: number } {
  const lines: string[] = [];
  const log = createLog(level, line => lines.push(line));
  log.error('e');
  log.warn('w');
  log.warnOnce('key', 'once');
  log.warnOnce('key', 'once');
  log.notice('n');
  log.info('i');
  log.debug('d\n  with a second line');
  return { lines, warnings: log.warnings };
}

test('a level prints itself and what is graver', () => {
  const all = ['error: e', 'warn: w', 'warn: once', 'info: n', 'info: i', 'debug: d | with a second line'];
  const lines = all.map(line => `otel-vitals ${line}\n`);
  assert.deepEqual(said('none').lines, []);
  assert.deepEqual(said('error').lines, lines.slice(0, 1));
  assert.deepEqual(said('warn').lines, lines.slice(0, 4));
  assert.deepEqual(said('info').lines, lines.slice(0, 5));
  assert.deepEqual(said('debug').lines, lines);
});

test('warnings and errors are counted whether they are printed or not, and what was asked for is none', () => {
  assert.equal(said('none').warnings, 4);
  assert.equal(said('debug').warnings, 4);
});
