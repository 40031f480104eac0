import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, maxBytes } from '../../../../exporters/prometheus/byte-writer';
import {
  familyNames,
  histogramBytes,
  maxValueBytes,
  writeHistogram,
} from '../../../../exporters/prometheus/points';
import type { HistogramPoint } from '../../../../instrumentation/metrics/exemplar';
import { histogram } from '../../../helpers/metric-data';

// The writer never looks whether there is room: what was reserved must do for the longest lines there can be.

const lowest = -2.2250738585072014e-308;

test('text fits into what is reserved for it, short and long', () => {
  for (const text of [
    '',
    '温',
    '温'.repeat(341),
    '温'.repeat(5000),
    '\u{1f600}'.repeat(5000),
    '\ud800'.repeat(10),
  ]) {
    assert.ok(Buffer.byteLength(text) <= maxBytes(text), `${text.length} units`);
  }
});

test('the longest numbers fit into what is reserved for them', () => {
  for (const value of [lowest, -Number.MAX_VALUE, 2 ** 31 - 1, Number.NaN, -Infinity]) {
    const writer = new ByteWriter();
    writer.reserve(100);
    writer.numberLine(value);
    assert.ok(writer.pending <= maxValueBytes, String(value));
  }
});

for (const labels of ['', 'a="b"', `a="${'温'.repeat(3000)}"`]) {
  test(`a histogram of ${labels.length} units of labels, with the longest exemplars, fits into what is reserved for it`, () => {
    const names = familyNames('n', true);
    const head = Buffer.from(names.head(labels));
    for (const id of ['\u{1f600}'.repeat(53), '"'.repeat(53), '\ud800'.repeat(53)]) {
      const exemplar = { value: lowest, timestampMs: 8.64e15, traceId: id, spanId: id };
      const point = histogram('n', [
        {
          boundaries: [2 ** 0.5 * 1e-300],
          counts: [2 ** 52 + 1, 0],
          sum: Number.MAX_VALUE,
          exemplars: [exemplar, exemplar],
        },
      ]).dataPoints[0] as HistogramPoint;
      const gap = histogramBytes(head.length, point);
      const writer = new ByteWriter();
      writer.reserve(2 * gap + head.length);
      const at = writer.stage(head, 0, head.length, gap);
      assert.equal(writeHistogram(writer, names, at, at + head.length, point, true), 4);
      assert.ok(writer.pending <= gap, `${writer.pending} of ${gap}`);
    }
  });
}
