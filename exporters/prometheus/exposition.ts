import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Format } from './formats';
import type { Serializer } from './serializer';

export interface Exposition {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  readonly samples: number;
}

/** Milliseconds after which writing lets the event loop run: with what is under way then, below one. */
const defaultSliceMs = 0.75;

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
  const writing = serializer.chunks(metrics, format);
  let sliceEnd = performance.now() + sliceMs;
  for (;;) {
    const step = writing.next();
    if (step.done === true) return { chunks, bytes, samples: step.value };
    if (step.value !== undefined) {
      chunks.push(step.value);
      bytes += step.value.length;
    }
    if (performance.now() >= sliceEnd) {
      await new Promise(setImmediate);
      sliceEnd = performance.now() + sliceMs;
    }
  }
}
