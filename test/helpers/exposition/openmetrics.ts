import { checkHistograms, type HistogramRules } from './histograms';
import { type Rules, Scanner } from './scanner';
import {
  ExpositionError,
  labelKey,
  linesOf,
  type ParsedExemplar,
  type ParsedFamily,
  type ParsedSample,
} from './types';

const rules: Rules = { loose: false, escapes: { '\\': '\\', '"': '"', n: '\n' } };
/** What the name of a sample may add to the name of its family. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  stateset: [''],
  info: ['_info'],
  summary: ['', '_sum', '_count', '_created'],
  unknown: [''],
};
const real = '[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?';
const number = new RegExp(`(?:${real}|[+-]?[Ii]nf(?:inity)?|[Nn]a[Nn])(?= |$)`, 'y');
const timestamp = new RegExp(`${real}(?= |$)`, 'y');
const maxExemplarCharacters = 128;

/**
 * Parses OpenMetrics 1.0.0 and throws {@link ExpositionError} at anything the format does not allow, also at what
 * Prometheus itself lets pass.
 *
 * @param histograms by default OpenMetrics's own rules
 *
 * Source: OpenMetrics 1.0.0, "ABNF" and "Metric Types".
 */
export function parseOpenMetrics(
  input: string | Uint8Array,
  histograms: HistogramRules = { countNeedsSum: true },
): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  let open: ParsedFamily | undefined;

  const lines = linesOf(input);
  if (lines.pop() !== '# EOF') throw new ExpositionError(lines.length + 1, 'no # EOF at the end');
  for (const [index, text] of lines.entries()) {
    const scanner = new Scanner(text, index + 1, rules);
    if (!scanner.has('#')) {
      const sample = parseSample(scanner);
      open = familyOf(sample, open) ?? create(families, sample.name, scanner);
      check(sample, open, scanner);
      open.samples.push(sample);
      continue;
    }
    scanner.expect(' ');
    const keyword = scanner.match(/(HELP|TYPE|UNIT|EOF)(?= |$)/y);
    if (keyword === 'EOF') scanner.fail('# EOF before the end');
    if (keyword === undefined) return scanner.fail('expected HELP, TYPE, UNIT or EOF');
    scanner.expect(' ');
    const name = scanner.metricName();
    if (open?.name !== name) open = create(families, name, scanner);
    if (open.samples.length > 0) scanner.fail(`${keyword} after samples`);
    scanner.expect(' ');
    describe(open, keyword as 'HELP' | 'TYPE' | 'UNIT', scanner);
  }
  checkWhole(families, lines.length, histograms);
  return families;
}

function create(families: Map<string, ParsedFamily>, name: string, scanner: Scanner): ParsedFamily {
  if (families.has(name)) scanner.fail(`${name} was there before`);
  const made: ParsedFamily = { name, type: undefined, help: undefined, unit: undefined, samples: [] };
  families.set(name, made);
  return made;
}

function describe(family: ParsedFamily, keyword: 'HELP' | 'TYPE' | 'UNIT', scanner: Scanner): void {
  const key = keyword.toLowerCase() as 'help' | 'type' | 'unit';
  if (family[key] !== undefined) scanner.fail(`a second ${keyword}`);
  if (key === 'help') {
    // As text in quotes, a quote needs its backslash here too.
    family.help = scanner.escaped('"');
    if (!scanner.atEnd) scanner.fail('a quote without a backslash');
    return;
  }
  family[key] = scanner.rest();
  if (key === 'type' && !(family[key] in suffixes)) scanner.fail(`no type ${family[key]}`);
  if (key === 'unit' && !/^[a-zA-Z0-9_:]*$/.test(family[key])) scanner.fail(`${family[key]} is no unit`);
}

function parseSample(scanner: Scanner): ParsedSample {
  const name = scanner.metricName();
  const labels = scanner.labels() ?? {};
  const value = readNumber(scanner);
  let time: number | undefined;
  let exemplar: ParsedExemplar | undefined;
  if (!scanner.atEnd && !scanner.has(' # ')) {
    scanner.expect(' ');
    time = readTime(scanner);
    if (!scanner.atEnd) scanner.expect(' # ');
  }
  if (!scanner.atEnd) {
    const own = scanner.labels() ?? scanner.fail('an exemplar without labels');
    const ownValue = readNumber(scanner);
    const ownTime = scanner.has(' ') ? readTime(scanner) : undefined;
    exemplar = { labels: own, value: ownValue, timestamp: ownTime };
  }
  if (!scanner.atEnd) scanner.fail('more after the sample');
  return { name, labels, value, timestamp: time, exemplar };
}

function readNumber(scanner: Scanner): number {
  scanner.expect(' ');
  const text = scanner.match(number) ?? scanner.fail('expected a number');
  return Number(text.replace(/inf(inity)?/i, 'Infinity').replace(/nan/i, 'NaN'));
}

function readTime(scanner: Scanner): number {
  return Number(scanner.match(timestamp) ?? scanner.fail('expected a timestamp'));
}

function familyOf({ name }: ParsedSample, open: ParsedFamily | undefined): ParsedFamily | undefined {
  if (open === undefined) return undefined;
  return suffixes[open.type ?? 'unknown']!.some(suffix => name === open.name + suffix) ? open : undefined;
}

function check(
  { name, value, exemplar, labels }: ParsedSample,
  family: ParsedFamily,
  scanner: Scanner,
): void {
  const { type = 'unknown' } = family;
  if (!suffixes[type]!.some(suffix => name === family.name + suffix)) {
    scanner.fail(`${name} is no sample of a ${type}`);
  }
  if (type === 'counter' && !(value >= 0)) scanner.fail(`a counter of ${value}`);
  if (type === 'info' && value !== 1) scanner.fail(`an info of ${value}`);
  if (exemplar === undefined) return;
  if (!/(_total|_bucket)$/.test(name) || !/counter|histogram/.test(type)) scanner.fail('an exemplar here');
  const characters = [...Object.entries(exemplar.labels).flat().join('')].length;
  if (characters > maxExemplarCharacters) scanner.fail(`an exemplar of ${characters} characters`);
  const { le } = labels;
  if (le !== undefined && le !== '+Inf' && !(exemplar.value <= Number(le))) {
    scanner.fail(`an exemplar of ${exemplar.value} in the bucket ${le}`);
  }
}

function checkWhole(
  families: ReadonlyMap<string, ParsedFamily>,
  line: number,
  histograms: HistogramRules,
): void {
  const owner = new Map<string, string>();
  for (const family of families.values()) {
    const { name, type = 'unknown', unit = '' } = family;
    const fail = (message: string): never => {
      throw new ExpositionError(line, `${name}: ${message}`);
    };
    // The samples that a family has or could have must not be taken for another's.
    for (const sampleName of suffixes[type]!.map(suffix => name + suffix)) {
      const other = owner.get(sampleName);
      if (other !== undefined) fail(`${sampleName} may be of ${other} as well`);
      owner.set(sampleName, name);
    }
    if (unit !== '' && !name.endsWith(`_${unit}`)) fail(`the unit ${unit} is not the end of the name`);
    checkPoints(family, fail);
    if (type === 'histogram') checkHistograms(family, line, histograms);
  }
}

/** A series only once, and the samples of one point side by side. */
function checkPoints(family: ParsedFamily, fail: (message: string) => never): void {
  const series = new Set<string>();
  const points = new Set<string>();
  let last: string | undefined;
  for (const { name, labels } of family.samples) {
    const own = name + labelKey(labels);
    if (series.has(own)) fail(`${own} twice`);
    series.add(own);
    const point = labelKey(labels, family.type === 'histogram' ? 'le' : '');
    if (point !== last && points.has(point)) fail(`the samples of ${point} are apart`);
    points.add(point);
    last = point;
  }
}
