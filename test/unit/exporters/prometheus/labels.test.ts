import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '@opentelemetry/api';
import { createLabelWriter, escapeLabelValue } from '../../../../exporters/prometheus/labels';

const write = createLabelWriter(new Set(['le']));

test('labels are sorted by name, whatever the order of the attributes', () => {
  assert.equal(write({ b: '1', 'a.c': '2', a: '3' }), 'a="3",a_c="2",b="1"');
  assert.equal(write({ a: '3', b: '1', 'a.c': '2' }), 'a="3",a_c="2",b="1"');
});

test('values are written as text, and what is empty is no label', () => {
  assert.equal(write({ n: 1.5, b: false, z: 0, e: '', u: undefined }), 'b="false",n="1.5",z="0"');
  assert.equal(
    write({ list: ['a', 'b"c'], numbers: [1, 2] }),
    'list="[\\"a\\",\\"b\\\\\\"c\\"]",numbers="[1,2]"',
  );
  assert.equal(write({}), '');
});

test('values that OpenTelemetry does not allow do no harm', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const odd = { a: null, b: cycle, c: { d: 1 }, e: Symbol('s'), f: () => 1, g: 10n } as unknown as Attributes;
  assert.match(write(odd), /^c="\{\\"d\\":1\}",e="Symbol\(s\)",f="[^"]+",g="10"$/);
});

test('attributes that become the same label are joined in the order of their names', () => {
  assert.equal(write({ a_b: '3', 'a.b': '2', 'a-b': '1' }), 'a_b="1;2;3"');
});

test('an attribute of a name that the exposition writes itself gets another', () => {
  assert.equal(write({ le: '0.5' }), 'exported_le="0.5"');
  assert.equal(createLabelWriter(new Set())({ le: '0.5' }), 'le="0.5"');
});

test('backslashes, quotes and line feeds are escaped, and halves of surrogates replaced', () => {
  assert.equal(escapeLabelValue('a\\b"c\nd'), 'a\\\\b\\"c\\nd');
  assert.equal(escapeLabelValue('\\n'), '\\\\n');
  assert.equal(escapeLabelValue('x\ud800y'), 'x\ufffdy');
  assert.equal(escapeLabelValue('\u{1f600}\r\t\0'), '\u{1f600}\r\t\0');
});

test('more sets of keys than are remembered are written right all the same', () => {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 200; i++) assert.equal(write({ [`k${i}`]: i, a: 1 }), `a="1",k${i}="${i}"`);
  }
});
