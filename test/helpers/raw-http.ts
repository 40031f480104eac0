import { connect } from 'node:net';

/** What a server answered to bytes that no client would send. */
export interface RawAnswer {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  readonly text: string;
}

/**
 * Sends bytes to a server and reads until it closes the connection.
 *
 * @param slowly the rest, a byte every `ms` milliseconds, for as long as the server lets it
 */
export function sendRaw(
  port: number,
  bytes: string,
  slowly?: { rest: string; ms: number },
): Promise<RawAnswer> {
  return new Promise(resolve => {
    let text = '';
    let timer: NodeJS.Timeout | undefined;
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      socket.write(bytes);
      if (slowly === undefined) return;
      let at = 0;
      timer = setInterval(() => {
        if (at < slowly.rest.length) socket.write(slowly.rest[at++]!);
      }, slowly.ms);
    });
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', () => {
      // A server that has had enough resets the connection; 'close' follows.
    });
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0), text });
    });
  });
}
