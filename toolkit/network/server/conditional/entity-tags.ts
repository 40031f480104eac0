import { createHash } from 'node:crypto';
import { nonNegativeInteger } from '../../../options';
import { HttpPart, type HttpRequest, type HttpResponse } from '../http-part';
import { type Decision, ResponseTap } from '../response-tap';
import { type CacheControlDirectives, cacheControl } from './cache-control';
import { evaluatePreconditions, httpDate, matchingTag, type Validators } from './preconditions';

/** Options of {@link EntityTags}. */
export interface EntityTagOptions {
  /** Make weak tags, for content of which the bytes may differ while it means the same. @default false */
  readonly weak?: boolean;
  /** Larger bodies get no tag. @default 10485760 */
  readonly maxBytes?: number;
  /** `Cache-Control` of GET and HEAD where the response has none. @default none is set */
  readonly cacheControl?: CacheControlDirectives;
}

/** Statistics of entity tags since they were made. */
export interface EntityTagStats {
  /** Responses that were looked at. */
  readonly responses: number;
  /** Tags that were made of contents. */
  readonly tagged: number;
  /** Answered 304, and the bytes of bodies that were spared, as far as they are known. */
  readonly notModified: number;
  readonly sparedBytes: number;
  /** Answered 412. */
  readonly failed: number;
}

/** What keeps a digest's strength and is short: 132 bits. */
const tagLength = 22;

/**
 * The entity tag of a content.
 *
 * @param weak whether to make a weak one
 */
export function entityTag(content: Buffer | string, weak = false): string {
  const digest = createHash('sha256').update(content).digest('base64url').slice(0, tagLength);
  return `${weak ? 'W/' : ''}"${digest}"`;
}

/**
 * Answers conditional requests: GET and HEAD that the caller has in its cache get 304 without a body.
 *
 * A tag is made of bodies that come in one piece with status 200; of others the `ETag` and `Last-Modified` that the
 * application has set are used. Laid over together with {@link Compression}, in whatever order, the tag is of the
 * content as the application wrote it, and is made weak where that is compressed.
 */
export class EntityTags extends HttpPart {
  readonly #weak: boolean;
  readonly #maxBytes: number;
  readonly #cacheControl: string | undefined;
  readonly #stats = { responses: 0, tagged: 0, notModified: 0, sparedBytes: 0, failed: 0 };
  readonly #stage = {
    order: 10,
    onHead: (tap: ResponseTap, whole: Buffer | undefined): Decision => this.#onHead(tap, whole),
  };

  /** @throws TypeError when an option is not as documented */
  constructor({
    weak = false,
    maxBytes = 10 * 1024 * 1024,
    cacheControl: directives,
  }: EntityTagOptions = {}) {
    super();
    this.#weak = weak;
    this.#maxBytes = nonNegativeInteger('maxBytes', maxBytes);
    this.#cacheControl = directives === undefined ? undefined : cacheControl(directives);
  }

  override attach(request: HttpRequest, response: HttpResponse): void {
    ResponseTap.add(request, response, this.#stage);
  }

  stats(): EntityTagStats {
    return { ...this.#stats };
  }

  #onHead({ request, response }: ResponseTap, whole: Buffer | undefined): Decision {
    const { method = 'GET' } = request;
    const { statusCode } = response;
    this.#stats.responses++;
    if ((method !== 'GET' && method !== 'HEAD') || statusCode < 200 || statusCode >= 300) return undefined;
    if (this.#cacheControl !== undefined && !response.hasHeader('cache-control')) {
      response.setHeader('cache-control', this.#cacheControl);
    }
    let etag = validatorOf(response.getHeader('etag'));
    if (etag === undefined && this.#mayTag(response, whole, method)) {
      etag = entityTag(whole!, this.#weak);
      response.setHeader('etag', etag);
      this.#stats.tagged++;
    }
    const changed = httpDate(validatorOf(response.getHeader('last-modified')));
    const current: Validators = { etag, lastModified: changed === undefined ? undefined : new Date(changed) };
    const result = evaluatePreconditions(request, current);
    if (result === 'proceed') return undefined;
    if (result === 'failed') {
      this.#stats.failed++;
      return { status: 412 };
    }
    this.#stats.notModified++;
    this.#stats.sparedBytes += whole?.length ?? (Number(response.getHeader('content-length')) || 0);
    // The caller may have got it compressed, with the tag made weak, and its cache compares them as they are.
    const asked = request.headers['if-none-match'];
    const known = asked === undefined ? undefined : matchingTag(asked, etag);
    if (known !== undefined) response.setHeader('etag', known);
    return { status: 304 };
  }

  #mayTag(response: HttpResponse, whole: Buffer | undefined, method: string): boolean {
    if (whole === undefined || response.statusCode !== 200 || whole.length > this.#maxBytes) return false;
    // HEAD mostly comes without the body that the tag would be of.
    if (whole.length === 0 && method === 'HEAD') return false;
    return !/\bno-store\b/i.test(String(response.getHeader('cache-control') ?? ''));
  }
}

function validatorOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Whether a request may go on, by what is there before it: for PUT, PATCH and DELETE, so that nobody overwrites what
 * they have not seen. Answers 412, or 304 to GET and HEAD, where it may not.
 *
 *     if (!checkPreconditions(request, response, { etag: product.etag })) return;
 *
 * @param current what is there now; `{ exists: false }` where there is nothing
 * @param options `required`: answer 428 (RFC 6585) where an unsafe request has no `If-Match`, `If-None-Match` or
 *   `If-Unmodified-Since`. @default false
 */
export function checkPreconditions(
  request: HttpRequest,
  response: HttpResponse,
  current: Validators,
  { required = false }: { readonly required?: boolean } = {},
): boolean {
  const { method = 'GET', headers } = request;
  const isSafe = method === 'GET' || method === 'HEAD';
  const conditions = ['if-match', 'if-none-match', 'if-unmodified-since'];
  if (required && !isSafe && conditions.every(name => headers[name] === undefined)) {
    response.statusCode = 428;
    response.end();
    return false;
  }
  const result = evaluatePreconditions(request, current);
  if (result === 'proceed') return true;
  if (current.etag !== undefined) response.setHeader('etag', current.etag);
  response.statusCode = result === 'failed' ? 412 : 304;
  response.end();
  return false;
}
