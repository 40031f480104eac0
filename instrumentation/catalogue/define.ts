/** The value of an attribute as the exporters take it. */
export type AttributeValue = string | number | boolean;

/** One attribute of a metric, with what bounds its values. */
export interface Attribute<Name extends string = string> {
  readonly name: Name;
  readonly description: string;
  /** All values there can be; a value outside the list is a defect. */
  readonly values?: readonly string[];
  /** What bounds an open set of values, in words for the documentation. Exactly one of `values`, `bound`. */
  readonly bound?: string;
}

export type Instrument = 'counter' | 'updowncounter' | 'gauge' | 'histogram';

/** A metric as data. Instruments at run time and documents, dashboards and rules at build time come from it. */
export interface Metric<Names extends string = string, Kind extends Instrument = Instrument> {
  readonly name: string;
  readonly instrument: Kind;
  /** UCUM code, as OpenTelemetry's semantic conventions write it. */
  readonly unit: string;
  readonly description: string;
  /** The meter that fills it: the name that OTEL_NODE_ENABLED_INSTRUMENTATIONS takes. */
  readonly meter: string;
  readonly attributes: readonly Attribute<Names>[];
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly buckets?: readonly number[];
  /** `semconv`: named by OpenTelemetry's semantic conventions; `vitals`: our own. */
  readonly source: 'semconv' | 'vitals';
  /** Fewer attribute sets than VITALS_CARDINALITY_LIMIT, for what is bounded more tightly by nature. */
  readonly limit?: number;
}

export function attribute<const Name extends string>(
  name: Name,
  description: string,
  values: { values: readonly string[] } | { bound: string },
): Attribute<Name> {
  return { name, description, ...values };
}

type NamesOf<A> = A extends readonly Attribute<infer Name>[] ? Name : never;

/** Declares a metric; what is named outside `vitals.` comes from the semantic conventions. */
export function metric<const Kind extends Instrument, const A extends readonly Attribute[] = readonly []>(
  meter: string,
  name: string,
  instrument: Kind,
  unit: string,
  description: string,
  options: { attributes?: A; buckets?: readonly number[]; limit?: number } = {},
): Metric<NamesOf<A>, Kind> {
  if ((instrument === 'histogram') !== (options.buckets !== undefined)) {
    throw new TypeError(`Expected buckets for a histogram and for nothing else, got ${name} (${instrument})`);
  }
  return Object.freeze({
    name,
    instrument,
    unit,
    description,
    meter,
    attributes: (options.attributes ?? []) as unknown as readonly Attribute<NamesOf<A>>[],
    ...(options.buckets === undefined ? {} : { buckets: options.buckets }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    source: name.startsWith('vitals.') ? 'vitals' : 'semconv',
  });
}
