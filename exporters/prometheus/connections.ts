import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Limits } from './limits';

/** Keeps connections from holding the process, or too much of it. */
export function protect(server: Server, limits: Limits): void {
  server.unref();
  server.maxConnections = limits.connections;
  server.keepAliveTimeout = limits.idleMs;
  server.requestTimeout = limits.requestMs;
  server.headersTimeout = limits.requestMs;
  let open = 0;
  // Kept here because Node.js 26 takes a connection that has yet to bring its first request for one that rests.
  const resting = new Set<Socket>();
  server.on('connection', socket => {
    socket.unref();
    open++;
    socket.once('close', () => {
      open--;
      resting.delete(socket);
    });
    // Resting connections make room before a scraper is turned away.
    if (open > limits.connections / 2) for (const idle of resting) idle.destroy();
  });
  server.on('request', ({ socket }, response) => {
    resting.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) resting.add(socket);
    });
  });
}

/** Takes no more requests; those under way have `graceMs` to end. */
export async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs).unref();
  await closed;
  clearTimeout(timer);
}
