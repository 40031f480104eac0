import { type Encoding, encodings } from './names';

/** The registered kind of a compression and the layout of {@link CompressionStats}, for who reads the registry. */
export const compressionSource = { kind: 'http_compression', layout: 1 } as const;

/** Why a response was sent as it was. */
export const skipReasons = [
  'bodiless',
  'disabled',
  'encoded',
  'type',
  'small',
  'not_accepted',
  'larger',
] as const;

/**
 * Why a response was sent as it was:
 *
 * - `bodiless`: HEAD, 204, 304 and the like, or part of a content (206)
 * - `disabled`: by `no-transform`, a digest of the content, {@link withoutCompression} or the `filter`
 * - `encoded`: it has a `Content-Encoding`
 * - `type`: its type does not compress, or it has none
 * - `small`: fewer than `minBytes`
 * - `not_accepted`: the client takes no coding that there is
 * - `larger`: it did not get smaller
 */
export type SkipReason = (typeof skipReasons)[number];

/** Of one coding. */
export interface EncodingStats {
  /** Responses that were compressed by it. */
  readonly responses: number;
  /** Bytes that went into it, and that came out. */
  readonly input: number;
  readonly output: number;
}

/**
 * Statistics of a compression since it was made. `responses` is the sum of those of all codings, of all that were
 * skipped, and of the refused. Whole bodies are counted when they have been compressed, others when they begin.
 */
export interface CompressionStats {
  readonly responses: number;
  readonly encodings: Readonly<Record<Encoding, EncodingStats>>;
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Answered 406, where that is asked for. */
  readonly refused: number;
  /** Compressed responses whose client went away before the end. */
  readonly aborted: number;
  /** Compressed responses that are not at their end. */
  readonly active: number;
}

const zeros = <K extends string>(names: readonly K[]): Record<K, number> =>
  Object.fromEntries(names.map(name => [name, 0])) as Record<K, number>;

/** The numbers behind {@link CompressionStats}. */
export class CompressionCounters {
  readonly responses = zeros(encodings);
  readonly input = zeros(encodings);
  readonly output = zeros(encodings);
  readonly skipped = zeros(skipReasons);
  refused = 0;
  aborted = 0;
  active = 0;

  snapshot(): CompressionStats {
    const sum = (of: Readonly<Record<string, number>>): number =>
      Object.values(of).reduce((a, b) => a + b, 0);
    return {
      responses: sum(this.responses) + sum(this.skipped) + this.refused,
      encodings: Object.fromEntries(
        encodings.map(one => [
          one,
          { responses: this.responses[one], input: this.input[one], output: this.output[one] },
        ]),
      ) as unknown as Record<Encoding, EncodingStats>,
      skipped: { ...this.skipped },
      refused: this.refused,
      aborted: this.aborted,
      active: this.active,
    };
  }
}
