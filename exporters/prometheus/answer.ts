import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { contentTypes } from './formats';
import { chooseFormat, wantsGzip } from './negotiation';
import type { shareScrapes } from './scrapes';

/** Sent with whatever is sent: nothing here is to be kept, or to be taken for a page. */
const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Answers with a short text. */
export function answerShort(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, {
    ...always,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.length,
    ...headers,
  });
  response.end(body);
}

/**
 * Answers a scrape, and resolves with the bytes of its exposition once they are handed to the system.
 *
 * @throws where the metrics are not to be had, with nothing sent; and where the scraper goes away
 */
export async function answerScrape(
  request: IncomingMessage,
  response: ServerResponse,
  take: ReturnType<typeof shareScrapes>,
  onSend: (response: ServerResponse) => void,
): Promise<number> {
  const format = chooseFormat(request.headers.accept);
  const compressed = wantsGzip(request.headers['accept-encoding']);
  const written = await take(format);
  // Whoever has gone away needs no compression; sending finds out by itself.
  const body = compressed && !response.destroyed ? await written.gzipped() : written;
  response.writeHead(200, {
    ...always,
    'content-type': contentTypes[format],
    'content-length': body.bytes,
    ...(compressed ? { 'content-encoding': 'gzip' } : {}),
    vary: 'Accept, Accept-Encoding',
  });
  onSend(response);
  await send(request.method === 'HEAD' ? [] : body.chunks, response);
  return written.bytes;
}

/**
 * Sends chunks; one alone, as most expositions are, without a stream of its own.
 *
 * @throws where the other side goes away
 */
async function send(chunks: readonly Buffer[], response: ServerResponse): Promise<void> {
  if (chunks.length > 1) return pipeline(Readable.from(chunks), response);
  const { socket } = response.req;
  let sent = false;
  // What a destroyed socket drops is reported as finished, too.
  response.once('finish', () => {
    sent = !socket.destroyed;
  });
  const closed = response.destroyed || new Promise(resolve => response.once('close', resolve));
  response.end(chunks[0]);
  await closed;
  if (!sent) throw new Error('The connection was closed before the answer was sent');
}
