import { connect, isIP, type Socket } from 'node:net';
import { makeInternal } from '../../instrumentation/internal';
import { type Answer, createAnswerReader } from './answer';
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
 * Each upload has a connection of its own: windows are far apart, and an idle one would be closed by then. It is a
 * plain socket, because a single request of `node:http` would cost the application's own server a few percent for
 * ever: they share the code for messages, which V8 makes slower once it has seen both kinds of them.
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
  const head = requestHead(to, path, body.length);
  const connect =
    to.endpoint.protocol === 'https:' ? await connectSecurely(to.endpoint) : plainly(to.endpoint);
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      settle();
      reject(error);
      socket?.destroy();
    };
    const abort = () => fail(signal.reason);
    const timer = setTimeout(() => fail(new UploadTimeoutError(timeoutMs)), timeoutMs).unref();
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    signal.addEventListener('abort', abort);
    const reader = createAnswerReader(maxErrorText);
    let answered = false;
    const take = (answer: Answer | undefined): void => {
      if (answered || answer === undefined) return;
      answered = true;
      const { status, text } = answer;
      if (status >= 200 && status < 300) {
        settle();
        resolve();
      } else fail(new UploadRejectedError(status, text.trim()));
    };
    let socket: Socket | undefined;
    try {
      socket = makeInternal(connect).unref();
      // Stays for the socket's whole life: a reset after the answer must find a listener too.
      socket.on('error', error => {
        // One that refuses a body may close before it has come; what it said by then says more.
        take(reader.end());
        if (!answered) fail(error);
      });
      socket.on('data', chunk => {
        if (answered) return;
        try {
          take(reader.push(chunk));
        } catch (error) {
          fail(error);
        }
      });
      socket.on('close', () => {
        take(reader.end());
        if (!answered) fail(new Error('it closed the connection without an answer'));
      });
      socket.setTimeout(timeoutMs, () => socket?.destroy());
      socket.write(head);
      socket.write(body);
    } catch (error) {
      fail(error);
    }
  });
}

function requestHead({ endpoint, headers }: Destination, path: string, length: number): string {
  const fields = Object.entries({
    host: endpoint.host,
    ...headers,
    'content-length': length,
    connection: 'close',
  });
  for (const [name, value] of fields) {
    if (/[\r\n\0]/.test(String(value))) throw new TypeError(`Expected one line for the header ${name}`);
  }
  return `POST ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** An IPv6 address has brackets in a URL, and nowhere else. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

function plainly(endpoint: URL): () => Socket {
  return () => connect({ host: hostOf(endpoint), port: Number(endpoint.port || 80) });
}

async function connectSecurely(endpoint: URL): Promise<() => Socket> {
  const { connect: connectTls } = await import('node:tls');
  const host = hostOf(endpoint);
  const name = isIP(host) === 0 ? { servername: host } : {};
  return () => connectTls({ host, port: Number(endpoint.port || 443), ALPNProtocols: ['http/1.1'], ...name });
}
