/** One line of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Which label values a sample must have. */
export type LabelFilter = Readonly<Record<string, string | RegExp>>;

const linePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const labelPattern = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads the samples of an exposition. Lenient: it is for showing figures, not for judging the format. */
export function parseSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const match = line.startsWith('#') ? null : linePattern.exec(line);
    if (match === null) continue;
    const labels = Object.fromEntries(
      [...(match[2] ?? '').matchAll(labelPattern)].map(([, name, value]) => [name, unescapeLabel(value!)]),
    );
    samples.push({ name: match[1]!, labels, value: toNumber(match[3]!) });
  }
  return samples;
}

function unescapeLabel(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function toNumber(text: string): number {
  return /^[+-]?Inf/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

/** What happened between two scrapes; a process's first scrape may be compared with nothing. */
export class Interval {
  constructor(
    readonly before: readonly Sample[],
    readonly after: readonly Sample[],
  ) {}

  /** The present value, summed over series; undefined when there is no such series. */
  gauge(name: string, labels: LabelFilter = {}): number | undefined {
    return sum(this.after, name, labels);
  }

  /** How much a counter rose, summed over series; undefined when there is no such series. */
  increase(name: string, labels: LabelFilter = {}): number | undefined {
    const now = sum(this.after, name, labels);
    return now === undefined ? undefined : now - (sum(this.before, name, labels) ?? 0);
  }

  /**
   * A quantile of a histogram's values in this interval, interpolated as Prometheus' histogram_quantile does;
   * undefined when there are none.
   */
  quantile(q: number, name: string, labels: LabelFilter = {}): number | undefined {
    const buckets = new Map<number, number>();
    for (const [samples, sign] of [
      [this.after, 1],
      [this.before, -1],
    ] as const) {
      for (const sample of select(samples, `${name}_bucket`, labels)) {
        const bound = toNumber(sample.labels['le'] ?? '');
        buckets.set(bound, (buckets.get(bound) ?? 0) + sign * sample.value);
      }
    }
    const sorted = [...buckets].sort(([a], [b]) => a - b);
    const total = sorted.at(-1)?.[1] ?? 0;
    if (total <= 0) return undefined;
    const rank = q * total;
    const index = sorted.findIndex(([, count]) => count >= rank);
    const [upper, count] = sorted[index]!;
    const [lower, below] = sorted[index - 1] ?? [0, 0];
    if (upper === Infinity || count === below) return lower;
    return lower + (upper - lower) * ((rank - below) / (count - below));
  }
}

function select(samples: readonly Sample[], name: string, labels: LabelFilter): Sample[] {
  return samples.filter(
    sample =>
      sample.name === name &&
      Object.entries(labels).every(([label, wanted]) => {
        const value = sample.labels[label] ?? '';
        return typeof wanted === 'string' ? value === wanted : wanted.test(value);
      }),
  );
}

function sum(samples: readonly Sample[], name: string, labels: LabelFilter): number | undefined {
  const found = select(samples, name, labels);
  return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
}
