import { checkHistograms } from './histograms';
import { type Rules, Scanner } from './scanner';
import { ExpositionError, labelKey, linesOf, type ParsedFamily, type ParsedSample } from './types';

const rules: Rules = { loose: true, escapes: { '\\': '\\', '"': '"', n: '\n' } };
const helpEscapes = { '\\': '\\', n: '\n' };
const types = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const suffixes: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};
const number = /^(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?Inf|NaN)$/;

/**
 * Parses Prometheus's text format 0.0.4 and throws {@link ExpositionError} at anything the format does not allow,
 * also at what Prometheus itself lets pass.
 *
 * Source: prometheus.io, "Exposition formats", "Text-based format".
 */
export function parseText(input: string | Uint8Array): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let open: ParsedFamily | undefined;

  const turnTo = (name: string, line: number): ParsedFamily => {
    if (open?.name === name) return open;
    // All lines of a metric are one group.
    if (families.has(name)) throw new ExpositionError(line, `${name} was there before`);
    open = { name, type: undefined, help: undefined, unit: undefined, samples: [] };
    families.set(name, open);
    return open;
  };

  const lines = linesOf(input);
  for (const [index, text] of lines.entries()) {
    const scanner = new Scanner(text.replace(/^[ \t]+|[ \t]+$/g, ''), index + 1, rules);
    if (scanner.atEnd) continue;
    if (scanner.has('#')) {
      scanner.blanks();
      const keyword = scanner.match(/(HELP|TYPE)(?=[ \t])/y);
      if (keyword === undefined) continue;
      scanner.separator();
      const family = turnTo(scanner.metricName(), index + 1);
      scanner.separator();
      if (keyword === 'HELP') {
        if (family.help !== undefined) scanner.fail('a second HELP');
        family.help = scanner.escaped(undefined, helpEscapes);
      } else {
        if (family.type !== undefined) scanner.fail('a second TYPE');
        if (family.samples.length > 0) scanner.fail('TYPE after samples');
        family.type = scanner.word();
        if (!types.has(family.type)) scanner.fail(`no type ${family.type}`);
        if (!scanner.atEnd) scanner.fail('more after the type');
      }
      continue;
    }
    const sample = parseSample(scanner);
    const own = belongs(open, sample.name);
    if (!own && open?.name === sample.name) scanner.fail(`a ${open.type} has no sample of its own name`);
    const family = own ? open! : turnTo(sample.name, index + 1);
    const key = sample.name + labelKey(sample.labels);
    if (seen.has(key)) scanner.fail('the same series twice');
    seen.add(key);
    family.samples.push(sample);
  }
  for (const family of families.values()) check(family, families, lines.length);
  return families;
}

function belongs(family: ParsedFamily | undefined, name: string): boolean {
  if (family === undefined) return false;
  return (suffixes[family.type ?? ''] ?? ['']).some(suffix => name === family.name + suffix);
}

function parseSample(scanner: Scanner): ParsedSample {
  const name = scanner.metricName();
  scanner.blanks();
  const labels = scanner.labels() ?? {};
  scanner.blanks();
  const text = scanner.word();
  if (!number.test(text)) scanner.fail(`${text} is no number`);
  scanner.blanks();
  const timestamp = scanner.match(/-?[0-9]+/y);
  if (!scanner.atEnd) scanner.fail('more after the sample');
  return {
    name,
    labels,
    value: Number(text.replace('Inf', 'Infinity')),
    timestamp: timestamp === undefined ? undefined : Number(timestamp),
    exemplar: undefined,
  };
}

function check(family: ParsedFamily, families: ReadonlyMap<string, ParsedFamily>, line: number): void {
  for (const suffix of suffixes[family.type ?? ''] ?? []) {
    if (suffix !== '' && families.has(family.name + suffix)) {
      throw new ExpositionError(line, `${family.name + suffix} belongs to ${family.name}`);
    }
  }
  if (family.type === 'histogram') checkHistograms(family, line, { countNeedsSum: false });
  if (family.type === 'counter') {
    const falling = family.samples.find(({ value }) => !(value >= 0));
    if (falling !== undefined) throw new ExpositionError(line, `${family.name} counts ${falling.value}`);
  }
}
