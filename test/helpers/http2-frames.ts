import { once } from 'node:events';
import { connect } from 'node:net';

/** A frame of HTTP/2. */
export function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A client that sends whatever frames it is told to. */
export interface FrameClient {
  write(bytes: Buffer): void;
  /** Error codes of the GOAWAY frames that came. */
  readonly goaways: readonly number[];
  /** When the server has closed the connection. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Connects, and introduces itself as HTTP/2 in clear text. */
export async function frameClient(port: number): Promise<FrameClient> {
  const socket = connect(port, '127.0.0.1');
  const goaways: number[] = [];
  let bytes = Buffer.alloc(0);
  socket.on('data', piece => {
    bytes = Buffer.concat([bytes, piece]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes[3] === 7) goaways.push(bytes.readUInt32BE(13));
      bytes = bytes.subarray(9 + length);
    }
  });
  // Sent away in the midst of writing.
  socket.on('error', () => {});
  const closed = once(socket, 'close').then(() => {});
  await once(socket, 'connect');
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]));
  return { write: piece => void socket.write(piece), goaways, closed, destroy: () => socket.destroy() };
}
