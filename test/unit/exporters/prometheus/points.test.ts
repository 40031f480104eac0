import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, maxBytes } from '../../../../exporters/prometheus/byte-writer';
import {
  headsOf,
  histogramBytes,
  valueBytes,
  writeHistogram,
  writeValue,
} from '../../../../exporters/prometheus/points';
import type { HistogramPoint } from '../../../../instrumentation/metrics/exemplar';
import { histogram } from '../../../helpers/metric-data';

// The writer never looks whether there is room: what was reserved must do for the longest lines there can be.

const lowest = -2.2250738585072014e-308;
/** Three bytes for each unit of UTF-16, the most there are; short and long. */
const texts = ['', '温', '温'.repeat(100), '温'.repeat(5000), '\u{1f600}'.repeat(5000)];

function bytesOf(reserve: number, write: (writer: ByteWriter) => void): number {
  const writer = new ByteWriter();
  writer.reserve(reserve + 100_000);
  write(writer);
  return writer.pending;
}

for (const text of texts) {
  test(`a line of ${text.length} units of labels fits into what is reserved for it`, () => {
    assert.ok(Buffer.byteLength(text) <= maxBytes(text));
    const heads = headsOf('n', false);
    const reserved = valueBytes(heads, text);
    assert.ok(bytesOf(reserved, writer => writeValue(writer, heads, text, lowest)) <= reserved);
  });

  test(`a histogram of ${text.length} units of labels, with the longest exemplars, fits into what is reserved for it`, () => {
    const heads = headsOf('n', true);
    for (const id of ['\u{1f600}'.repeat(53), '"'.repeat(53), '\ud800'.repeat(53)]) {
      const exemplar = { value: lowest, timestampMs: 8.64e15, traceId: id, spanId: id };
      const point = histogram('n', [
        {
          boundaries: [2 ** 0.5 * 1e-300],
          counts: [2 ** 52 + 1, 0],
          sum: 1.7976931348623157e308,
          exemplars: [exemplar, exemplar],
        },
      ]).dataPoints[0] as HistogramPoint;
      const reserved = histogramBytes(heads, text, point);
      assert.ok(bytesOf(reserved, writer => writeHistogram(writer, heads, text, point, true)) <= reserved);
    }
  });
}
