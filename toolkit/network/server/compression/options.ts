import { nonEmptyString, nonNegativeInteger, optionalCallable } from '../../../options';
import type { HttpRequest, HttpResponse } from '../http-part';
import { isCompressible } from './content-types';
import { availableEncodings, levelRanges } from './encodings';
import { type Encoding, encodings } from './names';

/** Options of {@link Compression}. */
export interface CompressionOptions {
  /** Names it in statistics, metrics and findings. */
  readonly name: string;
  /**
   * Codings to offer, best first: of those that a client likes equally the first is taken. `zstd` is passed over where
   * Node.js does not have it (before 22.15).
   *
   * @default ['br', 'zstd', 'gzip', 'deflate']
   */
  readonly encodings?: readonly Encoding[];
  /**
   * How hard to try: `br` 0 to 11, `zstd` 1 to 19, `gzip` and `deflate` 0 to 9.
   *
   * @default { br: 4, zstd: 3, gzip: 6, deflate: 6 }; brotli's own default of 11 is for what is compressed once
   */
  readonly levels?: Readonly<Partial<Record<Encoding, number>>>;
  /** Bodies known to be smaller are sent as they are. @default 1024 */
  readonly minBytes?: number;
  /** Whether content of a type is to be compressed. @default text, JSON, XML, SVG, WebAssembly and the like */
  readonly compressible?: (contentType: string) => boolean;
  /** Whether a response may be compressed. @default all may */
  readonly filter?: (request: HttpRequest, response: HttpResponse) => boolean;
  /**
   * Answer 406 where a client takes none of the codings and has refused identity too (`identity;q=0`). RFC 9110
   * leaves it open; most servers send the content as it is.
   *
   * @default false
   */
  readonly strict?: boolean;
}

/** Options with nothing left open. */
export interface SettledCompressionOptions {
  readonly name: string;
  readonly offered: readonly Encoding[];
  readonly levels: Readonly<Record<Encoding, number>>;
  readonly minBytes: number;
  readonly compressible: (contentType: string) => boolean;
  readonly filter: ((request: HttpRequest, response: HttpResponse) => boolean) | undefined;
  readonly strict: boolean;
}

/** @throws TypeError when an option is not as documented */
export function settleCompressionOptions(given: CompressionOptions): SettledCompressionOptions {
  const wanted = given.encodings ?? encodings;
  if (!Array.isArray(wanted) || wanted.length === 0) {
    throw new TypeError(`Expected encodings to be a list of at least one of ${encodings.join(', ')}`);
  }
  for (const one of wanted) known('encodings', one);
  for (const one of Object.keys(given.levels ?? {})) known('levels', one);
  const levels = Object.fromEntries(
    encodings.map(one => {
      const { min, max, usual } = levelRanges[one];
      const level = given.levels?.[one] ?? usual;
      if (!Number.isInteger(level) || level < min || level > max) {
        throw new TypeError(
          `Expected levels.${one} to be an integer from ${min} to ${max}, got ${String(level)}`,
        );
      }
      return [one, level];
    }),
  ) as Record<Encoding, number>;
  return {
    name: nonEmptyString('name', given.name),
    offered: wanted.filter(one => availableEncodings.includes(one)),
    levels,
    minBytes: nonNegativeInteger('minBytes', given.minBytes ?? 1024),
    compressible: optionalCallable('compressible', given.compressible) ?? isCompressible,
    filter: optionalCallable('filter', given.filter),
    strict: given.strict ?? false,
  };
}

function known(option: string, encoding: string): void {
  if (encodings.includes(encoding as Encoding)) return;
  throw new TypeError(`Expected ${option} to name ${encodings.join(', ')}, got ${String(encoding)}`);
}
