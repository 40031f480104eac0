import type { ServerResponse } from 'node:http';

/** How often to look, in milliseconds; about what a stalled scraper may outlast the application. */
const intervalMs = 500;

/**
 * What Node.js lists as active where nothing but writing goes on. Pipes and terminals are listed whenever they are
 * open, as standard output is; who lives of a pipe alone loses a scrape that stalls, no more.
 */
const ofWriting = new Set(['SimpleWriteWrap', 'WriteWrap', 'ShutdownWrap', 'PipeWrap', 'TTYWrap']);

/**
 * Watches over answers that are being sent. A scraper that takes nothing for `stallMs` is cut off; at once, where
 * waiting for it is all that the process has left to do: a socket can be told not to keep the process alive, but a
 * write that waits on it does so all the same.
 */
export function watchSending(stallMs: number): (response: ServerResponse) => void {
  const sending = new Map<ServerResponse, { bytes: number; since: number }>();
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    const now = performance.now();
    const ended = process.getActiveResourcesInfo().every(type => ofWriting.has(type));
    for (const [response, seen] of sending) {
      const bytes = response.socket?.bytesWritten ?? 0;
      if (bytes !== seen.bytes) {
        seen.bytes = bytes;
        seen.since = now;
      } else if (ended || now - seen.since >= stallMs) {
        response.destroy();
      }
    }
  };

  return response => {
    sending.set(response, { bytes: -1, since: performance.now() });
    timer ??= setInterval(look, Math.min(intervalMs, stallMs)).unref();
    response.once('close', () => {
      sending.delete(response);
      if (sending.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
  };
}
