import { registerSource } from '../../../sources';
import { addVary, weaken } from '../headers';
import { HttpPart, type HttpRequest, type HttpResponse } from '../http-part';
import { type BodySink, type Decision, isEventStream, ResponseTap } from '../response-tap';
import { CompressedStream, CompressedWhole } from './compressed-body';
import { negotiate } from './encodings';
import { type CompressionOptions, type SettledCompressionOptions, settleCompressionOptions } from './options';
import { CompressionCounters, type CompressionStats, compressionSource, type SkipReason } from './stats';

/** A body of more bytes is compressed piece by piece, so that it is not held twice and its beginning is not late. */
const mostWhole = 1 << 20;
/** Headers that speak of the very bytes of the content. */
const digests = ['content-digest', 'repr-digest', 'digest', 'content-md5'];

const left = new WeakSet<HttpResponse>();

/**
 * Sends this response uncompressed.
 *
 * For responses that hold a secret, such as a token against request forgery, beside something that the caller chose:
 * who can make a browser ask again and again, and sees how long the answers are, can then guess the secret byte by
 * byte, TLS or not (BREACH, CVE-2013-3587).
 */
export function withoutCompression(response: HttpResponse): void {
  left.add(response);
}

/**
 * Compresses responses by what the client accepts. See `docs/toolkit/network-server.md`.
 *
 * Left alone are: what is compressed already, of a type that does not compress, smaller than `minBytes`, marked
 * `Cache-Control: no-transform` or by {@link withoutCompression}, a part of the content (206), or no content at all.
 * What may be compressed says `Vary: Accept-Encoding` even where it is not, and a strong `ETag` is made weak where it
 * is. Bodies that come in pieces are compressed as they come; `response.flush()` sends on what came so far, which
 * Server-Sent Events do by themselves.
 */
export class Compression extends HttpPart {
  readonly name: string;
  readonly #options: SettledCompressionOptions;
  readonly #counters = new CompressionCounters();
  readonly #stage = {
    order: 20,
    onHead: (tap: ResponseTap, whole: Buffer | undefined): Decision => this.#onHead(tap, whole),
    onBodiless: (tap: ResponseTap): void => {
      this.#counters.skipped.bodiless++;
      if (this.#mayCompress(tap) === undefined) addVary(tap.response, 'Accept-Encoding');
    },
  };
  readonly #unregister: () => void;

  /** @throws TypeError when an option is not as documented */
  constructor(options: CompressionOptions) {
    super();
    this.#options = settleCompressionOptions(options);
    this.name = this.#options.name;
    const counters = this.#counters;
    this.#unregister = registerSource(
      { ...compressionSource, name: this.name, stats: () => counters.snapshot() },
      this,
    );
  }

  override attach(request: HttpRequest, response: HttpResponse): void {
    ResponseTap.add(request, response, this.#stage);
  }

  /** Counters since it was made, as documented at {@link CompressionStats}. */
  stats(): CompressionStats {
    return this.#counters.snapshot();
  }

  /** Takes it out of the metrics. It goes on compressing. */
  close(): void {
    this.#unregister();
  }

  /** What of the response itself, whoever asks for it, speaks against compressing it. */
  #mayCompress({ request, response, taken }: ResponseTap): SkipReason | undefined {
    if (taken || response.hasHeader('content-encoding')) return 'encoded';
    const type = response.getHeader('content-type');
    if (typeof type !== 'string' || !this.#options.compressible(type)) return 'type';
    if (
      left.has(response) ||
      /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(String(response.getHeader('cache-control') ?? '')) ||
      digests.some(name => response.hasHeader(name)) ||
      this.#options.filter?.(request, response) === false
    ) {
      return 'disabled';
    }
    return undefined;
  }

  #skip(reason: SkipReason): undefined {
    this.#counters.skipped[reason]++;
    return undefined;
  }

  #onHead(tap: ResponseTap, whole: Buffer | undefined): Decision {
    const { request, response } = tap;
    const { statusCode } = response;
    const { offered, levels, minBytes, strict } = this.#options;
    if (
      statusCode < 200 ||
      statusCode === 204 ||
      statusCode === 205 ||
      statusCode === 304 ||
      statusCode === 206
    ) {
      if (statusCode === 304 && this.#mayCompress(tap) === undefined) addVary(response, 'Accept-Encoding');
      return this.#skip('bodiless');
    }
    if (response.hasHeader('content-range')) return this.#skip('bodiless');
    const against = this.#mayCompress(tap);
    if (against !== undefined) return this.#skip(against);
    addVary(response, 'Accept-Encoding');
    if (request.method === 'HEAD') return this.#skip('bodiless');
    const accepted = request.headers['accept-encoding'];
    const { encoding, identityRefused } = negotiate(
      Array.isArray(accepted) ? accepted.join(',') : accepted,
      offered,
    );
    if (encoding === undefined) {
      if (!(identityRefused && strict)) return this.#skip('not_accepted');
      this.#counters.refused++;
      return { status: 406 };
    }
    const declared = response.getHeader('content-length');
    const size = whole?.length ?? (declared === undefined ? undefined : Number(declared));
    // Nothing stays nothing, whatever is accepted.
    if (size === 0 || (!identityRefused && size !== undefined && size < minBytes)) return this.#skip('small');
    const compressed = (): void => {
      response.setHeader('content-encoding', encoding);
      response.removeHeader('content-length');
      // Ranges are of the bytes that are sent, and those are made anew each time.
      response.removeHeader('accept-ranges');
      weaken(response);
    };
    const level = levels[encoding];
    if (whole !== undefined && whole.length <= mostWhole) {
      return new CompressedWhole(tap, encoding, level, this.#counters, identityRefused, compressed);
    }
    compressed();
    const sink: BodySink = new CompressedStream(
      tap,
      encoding,
      level,
      this.#counters,
      isEventStream(response),
    );
    return sink;
  }
}
