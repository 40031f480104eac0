/** A sample value: the shortest text that reads back as the same double, in the spelling both formats share. */
export function valueText(value: number): string {
  if (value - value === 0) return `${value}`;
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : 'NaN';
}

/**
 * A bucket boundary as OpenMetrics wants it ("Canonical Numbers"): Go's `%g`, with `.0` where nothing else shows that
 * it is a float. Prometheus 3 rewrites the `le` of the text format to this spelling when it scrapes.
 */
export function boundaryText(boundary: number): string {
  if (boundary === Infinity) return '+Inf';
  if (boundary === -Infinity) return '-Inf';
  if (boundary === 0) return '0.0';
  const scientific = boundary.toExponential();
  const at = scientific.indexOf('e');
  const exponent = Number(scientific.slice(at + 1));
  // Go's shortest %g writes an exponent, of two digits at least, below 1e-4 and from 1e6 on.
  if (exponent < -4 || exponent >= 6) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${scientific.slice(0, at)}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  const plain = `${boundary}`;
  return plain.includes('.') ? plain : `${plain}.0`;
}
