import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** How a server that the agent sends to may behave. */
export type Trouble = 'refuses' | 'hangs' | 'answers 500';

/** An address of this behaviour on loopback, and a way to end it. */
export async function troubledServer(trouble: Trouble): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server =
    trouble === 'answers 500'
      ? createHttpServer((request, response) => {
          request.resume();
          response.writeHead(500).end('no');
        })
      : createServer();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  // A test that fails must not leave its file hanging.
  server.unref();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  // A port that was had and given back is one that refuses.
  if (trouble === 'refuses') await close();
  return { url: `http://127.0.0.1:${port}`, close };
}
