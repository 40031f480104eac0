import type { Format } from './formats';

/** One element of an `Accept` or `Accept-Encoding` header. */
interface Range {
  /** Lower case: a media type, a coding, or a range of them. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** Weight from 0, not acceptable, to 1. */
  readonly q: number;
}

/** A header longer than this says nothing a scraper would say; the rest of it is not read. */
const maxHeader = 4096;

interface Offer {
  readonly format: Format;
  readonly type: string;
  /** Values of parameters that a range may ask for. A range may name others: `escaping` of Prometheus 3 is one. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What the endpoint can give, the default first. */
const offers: readonly Offer[] = [
  { format: 'text', type: 'text/plain', parameters: { version: '0.0.4', charset: 'utf-8' } },
  {
    format: 'openmetrics',
    type: 'application/openmetrics-text',
    parameters: { version: '1.0.0', charset: 'utf-8' },
  },
];

/**
 * The format that a scraper likes best of those there are, by its `Accept` header: that of the highest weight, of
 * equal ones that named most exactly, of those again the one named first.
 *
 * Whoever accepts neither gets the text format all the same, as from other exporters.
 *
 * Source: RFC 9110, section 12.5.1.
 */
export function chooseFormat(accept: string | undefined): Format {
  if (accept === undefined) return 'text';
  const ranges = parse(accept);
  let best: { format: Format; q: number; exactness: number; index: number } | undefined;
  for (const offer of offers) {
    let match: { exactness: number; index: number } | undefined;
    for (const [index, range] of ranges.entries()) {
      const exactness = exactnessOf(range, offer);
      if (exactness > (match?.exactness ?? 0)) match = { exactness, index };
    }
    if (match === undefined) continue;
    const { q } = ranges[match.index]!;
    if (q === 0) continue;
    const better =
      best === undefined ||
      q > best.q ||
      (q === best.q &&
        (match.exactness > best.exactness ||
          // Both from the same range, `*/*`: the default stays.
          (match.exactness === best.exactness && match.index < best.index)));
    if (better) best = { format: offer.format, q, ...match };
  }
  return best?.format ?? 'text';
}

/** How exactly a range names an offer; 0 where it does not. */
function exactnessOf({ value, parameters }: Range, offer: Offer): number {
  if (value === '*/*' || value === '*') return 1;
  if (value === `${offer.type.split('/')[0]}/*`) return 2;
  if (value !== offer.type) return 0;
  let exactness = 3;
  for (const [name, own] of Object.entries(offer.parameters)) {
    const asked = parameters.get(name);
    if (asked === undefined) continue;
    if (asked.toLowerCase() !== own) return 0;
    exactness++;
  }
  return exactness;
}

/**
 * Whether a scraper asks for gzip, by its `Accept-Encoding` header, and likes it no less than the plain text.
 *
 * Source: RFC 9110, section 12.5.3.
 */
export function wantsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  const ranges = parse(acceptEncoding);
  const weight = (...names: string[]): number | undefined =>
    ranges.find(range => names.includes(range.value))?.q;
  const gzip = weight('gzip', 'x-gzip') ?? weight('*') ?? 0;
  return gzip > 0 && gzip >= (weight('identity') ?? 0);
}

function parse(header: string): Range[] {
  const ranges: Range[] = [];
  for (const element of header.slice(0, maxHeader).split(',')) {
    const [value = '', ...rest] = element.split(';');
    const name = value.trim().toLowerCase();
    if (name === '') continue;
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const at = parameter.indexOf('=');
      if (at < 0) continue;
      const key = parameter.slice(0, at).trim().toLowerCase();
      if (!parameters.has(key)) parameters.set(key, unquote(parameter.slice(at + 1).trim()));
    }
    ranges.push({ value: name, parameters, q: weightOf(parameters.get('q')) });
  }
  return ranges;
}

function unquote(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}

/** A weight that is no number counts as none given. */
function weightOf(text: string | undefined): number {
  if (text === undefined || !/^[0-9]*\.?[0-9]+$|^[01]\.$/.test(text)) return 1;
  return Math.min(1, Number(text));
}
