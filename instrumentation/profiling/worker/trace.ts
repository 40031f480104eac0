import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Capturer, Recorder } from './capturer';
import type { MainSession } from './main-session';

/** Bytes of JSON, uncompressed, after which a trace ends by itself. */
const maxBytes = 128 * 1024 * 1024;
/** Milliseconds that the first of the events may be on their way after Node.js has said that there are no more. */
const firstEventsMs = 3000;
/** Milliseconds after which no more of them are to come. */
const quietMs = 200;

const categories = [
  'node',
  'node.async_hooks',
  'node.bootstrap',
  'node.console',
  'node.dns.native',
  'node.environment',
  'node.fs.async',
  'node.fs.sync',
  'node.http',
  'node.net.native',
  'node.perf',
  'node.promises.rejections',
  'node.threadpoolwork.async',
  'node.threadpoolwork.sync',
  'node.vm.script',
  'v8',
  'v8.execute',
];

type TraceEvent = Readonly<Record<string, unknown>>;

/** What Node.js and V8 did, event by event, in Chrome's trace format: for ui.perfetto.dev. */
export function traceCapturer(open: () => MainSession, limitBytes: number = maxBytes): Capturer {
  return {
    instant: false,
    defaultMs: 1000,
    async begin(): Promise<Recorder> {
      const session = open();
      const file = traceFile(limitBytes);
      let arrived = () => {};
      session.on('NodeTracing.dataCollected', ({ value }: { value: readonly TraceEvent[] }) => {
        file.write(value);
        arrived();
      });
      try {
        await session.post('NodeTracing.start', { traceConfig: { includedCategories: categories } });
      } catch (error) {
        session.close();
        throw error;
      }
      return {
        full: file.full,
        async finish() {
          try {
            // Events come on another way than the answer, mostly after it, and nothing says which are the last.
            let haveArrived = false;
            arrived = () => {
              haveArrived = true;
            };
            await session.post('NodeTracing.stop');
            await new Promise<void>(resolve => {
              let timer = setTimeout(resolve, haveArrived ? quietMs : firstEventsMs);
              arrived = () => {
                clearTimeout(timer);
                timer = setTimeout(resolve, quietMs);
              };
            });
          } finally {
            session.close();
          }
          return file.close();
        },
        async abort() {
          session.close();
          await file.close();
        },
      };
    },
  };
}

function traceFile(limitBytes: number) {
  const gzip = createGzip();
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  let bytes = 0;
  let dropped = 0;
  let events = 0;
  let closed = false;
  let fill = () => {};
  const full = new Promise<void>(resolve => {
    fill = resolve;
  });
  gzip.write('{"traceEvents":[\n');
  return {
    full,
    write(batch: readonly TraceEvent[]): void {
      if (closed) return;
      const lines = batch.map(event => JSON.stringify(event));
      const text = lines.join(',\n');
      if (bytes + text.length > limitBytes) {
        dropped += batch.length;
        fill();
        return;
      }
      if (batch.length === 0) return;
      gzip.write(events > 0 ? `,\n${text}` : text);
      bytes += text.length;
      events += batch.length;
    },
    async close() {
      closed = true;
      gzip.end(`\n],"displayTimeUnit":"ms","otherData":{"droppedEvents":${dropped}}}\n`);
      await once(gzip, 'end');
      return {
        format: 'trace' as const,
        gzipped: Buffer.concat(chunks),
        notes: dropped > 0 ? [`${dropped} events were dropped: a trace holds ${limitBytes} bytes`] : [],
      };
    },
  };
}
