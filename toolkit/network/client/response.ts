import type { Readable } from 'node:stream';
import { HttpJsonError } from './errors';
import { firstOf, joined } from './headers';
import type { HttpCacheResult } from './stats';

/** An answer with its body read. */
export class HttpResponse {
  constructor(
    readonly status: number,
    /** Names in lower case. Of a body that was decoded without Content-Encoding and Content-Length. */
    readonly headers: Readonly<Record<string, string | string[] | undefined>>,
    /** Decoded. Callers that were given the same answer share it: do not change it. */
    readonly body: Buffer,
    /** Attempts made for it; 0 where the cache had it. */
    readonly attempts: number,
    readonly cache: HttpCacheResult,
  ) {}

  /** Whether the status is 2xx. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The field's value, several ones joined by commas. */
  header(name: string): string | undefined {
    return joined(this.headers[name.toLowerCase()]);
  }

  /**
   * The body in the charset that its Content-Type names, or in UTF-8, without a byte order mark.
   *
   * @throws RangeError where the charset is unknown
   */
  text(): string {
    const charset = /;\s*charset="?([^";\s]+)/i.exec(firstOf(this.headers['content-type']) ?? '')?.[1];
    if (charset !== undefined && !/^utf-?8$/i.test(charset))
      return new TextDecoder(charset).decode(this.body);
    const { body } = this;
    const marked = body.length >= 3 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
    return body.toString('utf8', marked ? 3 : 0);
  }

  /** @throws HttpJsonError where the body is no JSON */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text()) as T;
    } catch {
      throw new HttpJsonError(this.status, firstOf(this.headers['content-type']), this.body.length);
    }
  }
}

/** An answer whose body is read as it comes. */
export interface HttpStreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decoded. It holds its connection until it was read to its end or destroyed, or until the call's time is up. */
  readonly body: Readable;
  readonly attempts: number;
}
