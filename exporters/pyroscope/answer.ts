/** The answer to one request, on a connection that ends with it. */
export interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
}

/** Reads an answer from the bytes of a connection, as they come. */
export interface AnswerReader {
  /** Gives the answer once its status is known, and its text where that is wanted. @throws when it is no HTTP */
  push(chunk: Buffer): Answer | undefined;
  /** The connection has ended: the answer as far as it came. */
  end(): Answer | undefined;
}

/** Bytes of a head at most. */
const maxHead = 16_384;

/**
 * As much of HTTP/1.1 (RFC 9112) as there is to the answer to an upload: interim answers are passed over, and a body
 * ends by its length, its chunks or the connection.
 *
 * @param maxText bytes of the body that are wanted of an answer that is not success
 */
export function createAnswerReader(maxText: number): AnswerReader {
  let bytes: Buffer = Buffer.alloc(0);
  let status: number | undefined;
  let headers = '';

  const readHead = (): void => {
    while (status === undefined) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        if (bytes.length > maxHead) throw new Error('it answered with a head without end');
        return;
      }
      const head = bytes.toString('latin1', 0, end);
      const found = /^HTTP\/1\.\d (\d{3})(?: [^\r\n]*)?(?:\r\n|$)/.exec(head)?.[1];
      if (found === undefined) throw new Error('it answered with what is no HTTP/1.1');
      bytes = bytes.subarray(end + 4);
      if (found.startsWith('1')) continue;
      status = Number(found);
      headers = head;
    }
  };
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*([^\\r\\n]*?)[ \\t]*\\r?$`, 'im').exec(headers)?.[1];
  /** The body as far as it has come, and whether that is all of it. */
  const body = (): { text: Buffer; whole: boolean } => {
    if (/\bchunked$/i.test(field('transfer-encoding') ?? '')) return dechunked(bytes);
    const length = field('content-length');
    const wanted = length === undefined ? Infinity : Number(length);
    return { text: bytes.subarray(0, Math.min(wanted, bytes.length)), whole: bytes.length >= wanted };
  };
  const answer = (): Answer | undefined => {
    if (status === undefined) return undefined;
    return { status, text: body().text.toString('utf8', 0, maxText) };
  };
  return {
    push(chunk) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      readHead();
      if (status === undefined) return undefined;
      if (status >= 200 && status < 300) return { status, text: '' };
      const { text, whole } = body();
      return whole || text.length >= maxText || bytes.length > maxHead ? answer() : undefined;
    },
    end: answer,
  };
}

function dechunked(bytes: Buffer): { text: Buffer; whole: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) return { text: Buffer.concat(parts), whole: false };
    if (size === 0) return { text: Buffer.concat(parts), whole: true };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
