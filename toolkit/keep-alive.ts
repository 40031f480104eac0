import { AsyncResource } from 'node:async_hooks';

// Far off, because the timer has nothing to do but to be there.
const farOffMs = 2 ** 30;
let holds = 0;
let timer: NodeJS.Timeout | undefined;

/** In the context of loading this file: in that of the first who waits, the timer would keep it for ever. */
const makeTimer = AsyncResource.bind(() => setInterval(() => {}, farOffMs));

/**
 * Keeps the process, or the thread, alive while somebody waits for what Node.js does not know of. Each call with 1 is to
 * be followed by one with -1.
 */
export function stayAlive(change: 1 | -1): void {
  holds += change;
  if (holds === 0) timer?.unref();
  else if (holds === 1 && change === 1) {
    timer ??= makeTimer();
    timer.ref();
  }
}
