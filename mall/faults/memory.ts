import { EventEmitter } from 'node:events';
import { every, type StartFault, times } from './fault';

const mib = 2 ** 20;
const tickMs = 100;
/** Numbers of an order that is remembered: a kibibyte, roughly. */
const lines = 120;
const chunkBytes = 32 * 1024;

export const heapLeak: StartFault = (_, { kibPerSecond, mostMib }) => {
  const remembered = new Map<number, object>();
  const rememberOrder = (id: number): void => {
    remembered.set(id, { id, lines: new Array<number>(lines).fill(id + 0.5) });
  };
  let id = 0;
  const most = mostMib! * 1024;
  const stop = times(kibPerSecond!, () => {
    if (remembered.size < most) rememberOrder(id++);
  });
  return () => {
    stop();
    remembered.clear();
  };
};

export const listenerLeak: StartFault = (_, { perSecond, most }) => {
  const bus = new EventEmitter().setMaxListeners(0);
  const subscribe = (): void => {
    const seen = new Array<number>(20).fill(bus.listenerCount('order') + 0.5);
    bus.on('order', () => seen);
  };
  let count = 0;
  const stop = times(perSecond!, () => {
    if (count++ < most!) subscribe();
  });
  return () => {
    stop();
    bus.removeAllListeners();
  };
};

export const bufferLeak: StartFault = (_, { kibPerSecond, mostMib }) => {
  const chunks: Buffer[] = [];
  const keepChunk = (): void => {
    chunks.push(Buffer.alloc(chunkBytes, chunks.length));
  };
  const stop = times((kibPerSecond! * 1024) / chunkBytes, () => {
    if (chunks.length * chunkBytes < mostMib! * mib) keepChunk();
  });
  return () => {
    stop();
    chunks.length = 0;
  };
};

export const timerLeak: StartFault = (_, { perSecond, most }) => {
  const timers: NodeJS.Timeout[] = [];
  const pollForever = (): void => {
    timers.push(setInterval(() => {}, 3_600_000));
  };
  const stop = times(perSecond!, () => {
    if (timers.length < most!) pollForever();
  });
  return () => {
    stop();
    for (const timer of timers) clearInterval(timer);
  };
};

export const gcPressure: StartFault = (_, { objectsPerTick, kept }) => {
  const alive = new Array<object | undefined>(kept!);
  // Copies: where V8 sees that what a line of code makes lives on, it makes it old at once, and nothing is collected.
  const order = Array.from({ length: 40 }, (_one, index) => index + 0.5);
  let next = 0;
  const churn = (): void => {
    for (let i = 0; i < objectsPerTick!; i++) {
      alive[next] = order.slice();
      next = (next + 1) % kept!;
    }
  };
  return every(tickMs / 20, churn);
};
