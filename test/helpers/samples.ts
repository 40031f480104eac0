import { parseSamples, type Sample } from '../../mall/demo/prometheus-text';
import { scrape } from './app';

/** Labels that a series must have; `undefined` asks that it has none of that name. */
export type Wanted = Readonly<Record<string, string | RegExp | undefined>>;

/** What one scrape shows. */
export class Samples {
  readonly all: readonly Sample[];

  constructor(readonly text: string) {
    this.all = parseSamples(text);
  }

  /** The samples of a name with these labels, whatever others they have. */
  of(name: string, wanted: Wanted = {}): Sample[] {
    return this.all.filter(
      sample =>
        sample.name === name &&
        Object.entries(wanted).every(([label, value]) => {
          const given = sample.labels[label];
          return value instanceof RegExp ? given !== undefined && value.test(given) : given === value;
        }),
    );
  }

  /** The value, summed over series; `undefined` where there is none. */
  value(name: string, wanted: Wanted = {}): number | undefined {
    const found = this.of(name, wanted);
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** Measurements of a histogram, summed over series. */
  count(name: string, wanted: Wanted = {}): number {
    return this.value(`${name}_count`, wanted) ?? 0;
  }

  /** The different values of a label, sorted. */
  labels(name: string, label: string, wanted: Wanted = {}): string[] {
    const found = this.of(name, wanted).flatMap(sample => sample.labels[label] ?? []);
    return [...new Set(found)].sort();
  }

  /** Measurements of a histogram by the value of a label, `''` where there is none. */
  countsBy(name: string, label: string, wanted: Wanted = {}): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { labels, value } of this.of(`${name}_count`, wanted)) {
      const key = labels[label] ?? '';
      counts[key] = (counts[key] ?? 0) + value;
    }
    return counts;
  }
}

/** What an endpoint shows now. */
export async function samplesFrom(url: string): Promise<Samples> {
  return new Samples(await scrape(url));
}
