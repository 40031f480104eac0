import type { CollectionResult, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { errorText } from '../../instrumentation/log';
import { type Exposition, writeExposition } from './exposition';
import type { Format } from './formats';
import { gzip } from './gzip';
import type { Serializer } from './serializer';

/** Metrics could not be collected, or not all of them. */
export class CollectionError extends Error {
  readonly code = 'COLLECTION_FAILED';
  override readonly name = 'CollectionError';
}

/** What a scrape is answered with. */
export interface Written extends Exposition {
  /** The same compressed; done once, for whoever asks first. */
  gzipped(): Promise<{ readonly chunks: readonly Buffer[]; readonly bytes: number }>;
}

export interface ScrapesOptions {
  readonly collect: () => Promise<CollectionResult>;
  readonly serializer: Serializer;
  /** Milliseconds that a collection may take. */
  readonly timeoutMs: number;
}

type Round = (format: Format) => Promise<Written>;

/** Errors of one collection that are named; a service with one broken callback has many of the same. */
const maxNamed = 3;

/**
 * Makes a function that collects and writes for a scrape. Scrapes that come while another is being made ready share
 * its collection, and what was written of it in their format.
 *
 * They do so until the first format is written: a stream of scrapes in turns would else be given ever older numbers.
 *
 * @throws {@link CollectionError} where anything is missing: half of the metrics looks like all of them
 */
export function shareScrapes({ collect, serializer, timeoutMs }: ScrapesOptions): Round {
  let current: Round | undefined;

  const begin = (): Round => {
    const collected = withTimeout(collect().then(whole), timeoutMs);
    const written = new Map<Format, Promise<Written>>();
    const round: Round = format => {
      const known = written.get(format);
      if (known !== undefined) return known;
      const writing = collected
        .then(metrics => writeExposition(serializer, metrics, format))
        .then(compressible);
      written.set(format, writing);
      const end = (): void => {
        if (current === round) current = undefined;
      };
      writing.then(end, end);
      return writing;
    };
    return round;
  };
  return async format => {
    current ??= begin();
    return current(format);
  };
}

function whole({ resourceMetrics, errors }: CollectionResult): ResourceMetrics {
  if (errors.length === 0) return resourceMetrics;
  const messages = [...new Set(errors.map(errorText))];
  const more = messages.length > maxNamed ? ` and ${messages.length - maxNamed} more` : '';
  throw new CollectionError(`${messages.slice(0, maxNamed).join('; ')}${more}`, { cause: errors[0] });
}

function compressible(exposition: Exposition): Written {
  let compressed: ReturnType<typeof gzip> | undefined;
  return { ...exposition, gzipped: () => (compressed ??= gzip(exposition.chunks)) };
}

/** A collection that hangs is left behind, so that the next scrape begins a new one. */
function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new CollectionError(`Expected an end within ${timeoutMs} ms, and it is still running`)),
      timeoutMs,
    );
    timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
