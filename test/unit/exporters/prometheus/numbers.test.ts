import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter, maxNumberBytes } from '../../../../exporters/prometheus/byte-writer';
import { boundaryText, valueText } from '../../../../exporters/prometheus/numbers';

// As Go's %g has it, which OpenMetrics calls canonical.
const boundaries: readonly [number, string][] = [
  [0, '0.0'],
  [-0, '0.0'],
  [1, '1.0'],
  [10, '10.0'],
  [0.005, '0.005'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [0.00025, '0.00025'],
  [100_000, '100000.0'],
  [1_000_000, '1e+06'],
  [1_048_576, '1.048576e+06'],
  [2.5e-7, '2.5e-07'],
  [1e100, '1e+100'],
  [-1.5, '-1.5'],
  [-20, '-20.0'],
  [Infinity, '+Inf'],
  [-Infinity, '-Inf'],
];
for (const [boundary, text] of boundaries) {
  test(`the boundary ${boundary} is written ${text}`, () => assert.equal(boundaryText(boundary), text));
}

test('any boundary reads back as itself', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      value => Number(boundaryText(value)) === value,
    ),
  );
});

test('values that are no numbers of JavaScript have the spelling of both formats', () => {
  assert.deepEqual([Infinity, -Infinity, Number.NaN].map(valueText), ['+Inf', '-Inf', 'NaN']);
});

test('the writer writes any number so that it reads back as itself, in the room it asks for', () => {
  const numbers = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(
      0,
      -0,
      9,
      10,
      99,
      100,
      2 ** 31 - 1,
      2 ** 31,
      -1,
      5e-324,
      Number.MAX_VALUE,
      1e21,
      -2.2250738585072014e-308,
    ),
  );
  fc.assert(
    fc.property(numbers, value => {
      const writer = new ByteWriter();
      writer.reserve(maxNumberBytes);
      writer.number(value);
      const text = writer.take()!.toString();
      assert.ok(text.length <= maxNumberBytes, text);
      const read = Number(text.replace('Inf', 'Infinity'));
      // Neither format, nor Prometheus, tells zero from its negative.
      assert.ok(Object.is(read, value) || (read === 0 && value === 0), `${value}: ${text}`);
    }),
  );
});
