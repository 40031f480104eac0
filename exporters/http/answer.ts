/** The answer to one request. */
export interface Answer {
  readonly status: number;
  /** The words beside the status; a server may leave them out. */
  readonly reason: string;
  /** The body as far as it is wanted. */
  readonly body: Buffer;
  /** Whether the connection stays, with nothing more on it, and can carry another request. */
  readonly keepsAlive: boolean;
  /** A field of the head by its name, in any case. */
  header(name: string): string | undefined;
}

/** Reads an answer from the bytes of a connection, as they come. */
export interface AnswerReader {
  /** Whether any byte has come. */
  readonly begun: boolean;
  /** Gives the answer once it is complete, as far as it is wanted. @throws when it is no HTTP */
  push(chunk: Buffer): Answer | undefined;
  /** The connection has ended: the answer as far as it came. */
  end(): Answer | undefined;
}

/** Bytes of a head at most. */
const maxHead = 16_384;

/**
 * As much of HTTP/1.1 (RFC 9112) as there is to the answer to a POST: interim answers are passed over, and a body
 * ends by its length, its chunks or the connection.
 *
 * @param maxBody bytes of the body that are wanted, by the status
 */
export function createAnswerReader(maxBody: (status: number) => number): AnswerReader {
  let bytes: Buffer = Buffer.alloc(0);
  let head: Head | undefined;
  let begun = false;

  /** The answer as far as it came, and whether more of it is to be waited for. */
  const answer = (found: Head): { answer: Answer; isDone: boolean } => {
    const { status, header } = found;
    const { body, end } = bodyOf(found, bytes);
    const most = maxBody(status);
    const isWhole = end !== undefined;
    return {
      answer: {
        status,
        reason: found.reason,
        header,
        body: body.subarray(0, most),
        keepsAlive: isWhole && end === bytes.length && found.keepsAlive,
      },
      isDone: isWhole || body.length >= most || bytes.length > most + maxHead,
    };
  };
  return {
    get begun() {
      return begun;
    },
    push(chunk) {
      begun = true;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      while (head === undefined) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) {
          if (bytes.length > maxHead) throw new Error('it answered with a head without end');
          return undefined;
        }
        const found = headOf(bytes.toString('latin1', 0, end));
        bytes = bytes.subarray(end + 4);
        if (found.status >= 200) head = found;
      }
      const found = answer(head);
      return found.isDone ? found.answer : undefined;
    },
    end: () => (head === undefined ? undefined : answer(head).answer),
  };
}

interface Head extends Pick<Answer, 'status' | 'reason' | 'keepsAlive' | 'header'> {}

function headOf(text: string): Head {
  const [, version, status, reason = ''] =
    /^HTTP\/1\.(\d) (\d{3})(?: ([^\r\n]*))?(?:\r\n|$)/.exec(text) ?? [];
  if (status === undefined) throw new Error('it answered with what is no HTTP/1.1');
  const header = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*([^\\r\\n]*?)[ \\t]*\\r?$`, 'im').exec(text)?.[1];
  const keepsAlive = version === '1' && !/\bclose\b/i.test(header('connection') ?? '');
  return { status: Number(status), reason: reason.trim(), keepsAlive, header };
}

/** The body as far as it has come, and where it ends, once it does. */
function bodyOf({ status, header }: Head, bytes: Buffer): { body: Buffer; end?: number } {
  if (status === 204 || status === 304) return { body: bytes.subarray(0, 0), end: 0 };
  if (/\bchunked$/i.test(header('transfer-encoding') ?? '')) return dechunked(bytes);
  const length = header('content-length');
  if (length === undefined) return { body: bytes };
  const wanted = Number(length);
  return bytes.length < wanted ? { body: bytes } : { body: bytes.subarray(0, wanted), end: wanted };
}

function dechunked(bytes: Buffer): { body: Buffer; end?: number } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) return { body: Buffer.concat(parts) };
    if (size === 0) {
      // Fields may follow the last chunk; an empty line ends them.
      const end = bytes.indexOf('\r\n\r\n', line);
      return { body: Buffer.concat(parts), ...(end < 0 ? {} : { end: end + 4 }) };
    }
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
