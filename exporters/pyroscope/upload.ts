import type { ClientRequest, IncomingMessage } from 'node:http';
import { ownRequest } from '../own-request';
import type { Destination } from './request';

/** Pyroscope answered, and not with success. */
export class UploadRejectedError extends Error {
  readonly code = 'PYROSCOPE_UPLOAD_REJECTED';
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`it answered ${status}${body === '' ? '' : `: ${body}`}`);
  }
}

/** Pyroscope did not answer in time. */
export class UploadTimeoutError extends Error {
  readonly code = 'PYROSCOPE_UPLOAD_TIMEOUT';
  constructor(readonly timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

/** The rest of an error page says nothing more. */
const maxErrorText = 200;

/**
 * Posts one profile. Neither the socket nor the deadline keeps the process alive.
 *
 * Each upload has a connection of its own: windows are far apart, and an idle one would be closed by then.
 *
 * @throws UploadRejectedError, UploadTimeoutError, the signal's reason, or the socket's error.
 */
export async function upload(
  to: Destination,
  path: string,
  body: Buffer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { request } =
    to.endpoint.protocol === 'https:' ? await import('node:https') : await import('node:http');
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      settle();
      reject(error);
      outgoing?.destroy();
    };
    const abort = () => fail(signal.reason);
    const timer = setTimeout(() => fail(new UploadTimeoutError(timeoutMs)), timeoutMs).unref();
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    const succeed = () => {
      settle();
      resolve();
    };
    signal.addEventListener('abort', abort);
    let outgoing: ClientRequest | undefined;
    try {
      outgoing = ownRequest(() =>
        request({
          method: 'POST',
          protocol: to.endpoint.protocol,
          hostname: to.endpoint.hostname.replace(/^\[(.*)\]$/, '$1'),
          port: to.endpoint.port,
          path,
          headers: { ...to.headers, 'content-length': body.length },
          agent: false,
        }),
      );
      outgoing.on('socket', socket => socket.unref());
      // Stays for the request's whole life: a reset after the answer must find a listener too.
      outgoing.on('error', fail);
      outgoing.on('response', response => {
        response.setTimeout(timeoutMs, () => response.destroy());
        readAnswer(response, succeed, fail);
      });
      outgoing.end(body);
    } catch (error) {
      fail(error);
    }
  });
}

function readAnswer(response: IncomingMessage, succeed: () => void, fail: (error: unknown) => void): void {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) {
    response.on('error', () => {});
    response.resume();
    succeed();
    return;
  }
  let text = '';
  const reject = () => fail(new UploadRejectedError(status, text.slice(0, maxErrorText).trim()));
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > maxErrorText) reject();
  });
  response.on('end', reject);
  response.on('error', reject);
}
