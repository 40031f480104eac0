/** UCUM units as OpenTelemetry writes them -> the words Prometheus names end in. */
const words: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};

/** What stands after the slash; here `m` is a minute. */
const perWords: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/** The two halves of a unit as parts of a name: `By/s` gives `bytes` and `per_second`; empty where there is none. */
export interface UnitWords {
  readonly main: string;
  readonly per: string;
}

/**
 * Translates a UCUM unit. Annotations (`{request}`) count things and have no unit word.
 *
 * Source: prometheus/otlptranslator, `unit_namer.go`, which a Prometheus server's OTLP receiver uses.
 */
export function unitWords(unit: string): UnitWords {
  const slash = unit.indexOf('/');
  const main = translate(slash < 0 ? unit : unit.slice(0, slash), words);
  const per = slash < 0 ? '' : translate(unit.slice(slash + 1), perWords);
  return { main: clean(main), per: per === '' ? '' : clean(`per_${per}`) };
}

function translate(part: string, table: Readonly<Record<string, string>>): string {
  const unit = part.trim();
  if (unit === '' || unit.includes('{') || unit.includes('}')) return '';
  return Object.hasOwn(table, unit) ? table[unit]! : unit;
}

function clean(word: string): string {
  return word
    .replace(/[^a-zA-Z0-9:]/gu, '_')
    .replace(/_+/g, '_')
    .replace(/^_/, '');
}
