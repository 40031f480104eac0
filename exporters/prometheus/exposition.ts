import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Format } from './formats';
import type { Serializer } from './serializer';

export interface Exposition {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  readonly samples: number;
}

/** Milliseconds that writing may hold the event loop at a time. */
const defaultSliceMs = 2;

/** Characters that are encoded together. */
const chunkLength = 64 * 1024;

/**
 * Writes metrics into memory, letting the event loop run whenever a slice of time is used up.
 *
 * All of it is kept before any is sent: what fails in the middle can still become an error, and the length is known.
 */
export async function writeExposition(
  serializer: Serializer,
  metrics: ResourceMetrics,
  format: Format,
  sliceMs: number = defaultSliceMs,
): Promise<Exposition> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let pending = '';
  const flush = (): void => {
    const chunk = Buffer.from(pending);
    pending = '';
    bytes += chunk.length;
    chunks.push(chunk);
  };
  const pieces = serializer.pieces(metrics, format);
  let sliceEnd = performance.now() + sliceMs;
  for (;;) {
    const step = pieces.next();
    if (step.done === true) {
      if (pending !== '') flush();
      return { chunks, bytes, samples: step.value };
    }
    pending += step.value;
    if (pending.length >= chunkLength) flush();
    if (performance.now() >= sliceEnd) {
      await new Promise(setImmediate);
      sliceEnd = performance.now() + sliceMs;
    }
  }
}
