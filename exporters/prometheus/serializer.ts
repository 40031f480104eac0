import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { ByteWriter, maxBytes } from './byte-writer';
import { groupFamilies, type Slot, type Warn } from './families';
import { writeFamily } from './family-text';
import type { Format } from './formats';
import { createLabelWriter } from './labels';

export interface SerializerOptions {
  /**
   * Adds `otel_scope_name`, `otel_scope_version` and `otel_scope_schema_url` to every series. Off by default: a version in a label
   * ends every series on each release.
   * @default false
   */
  readonly scopeLabels?: boolean;
  /**
   * Writes the resource's attributes as `target_info`.
   * @default true
   */
  readonly targetInfo?: boolean;
  /** Told once of each thing that is left out of the exposition, and why. */
  readonly onWarning?: (message: string) => void;
}

export interface Serializer {
  /**
   * Writes metrics in a format. Hands out chunks as they fill up; `undefined` is only a place to pause. The caller may
   * let the event loop run between any two. Returns how many samples were written.
   */
  chunks(metrics: ResourceMetrics, format: Format): Generator<Buffer | undefined, number>;
}

/** Warnings remembered, so that each is given once. */
const maxWarnings = 1000;

/** Makes a serializer; it keeps label text from one scrape to the next, so there is one per endpoint. */
export function createSerializer(options: SerializerOptions = {}): Serializer {
  const { scopeLabels = false, targetInfo = true, onWarning = () => {} } = options;
  const scopeNames = scopeLabels ? ['otel_scope_name', 'otel_scope_version', 'otel_scope_schema_url'] : [];
  const writeLabels = createLabelWriter(new Set(scopeNames));
  const writeHistogramLabels = createLabelWriter(new Set([...scopeNames, 'le']));
  const writeInfoLabels = createLabelWriter(new Set());
  let slots: ReadonlyMap<string, Slot> = new Map();
  const idle: ByteWriter[] = [];

  const warned = new Set<string>();
  const warn: Warn = (key, message) => {
    if (warned.has(key) || warned.size >= maxWarnings) return;
    warned.add(key);
    onWarning(message);
  };

  const targetInfoText = (resource: ResourceMetrics['resource'], format: Format): string => {
    // Attributes still being detected are left to a later scrape: reading them now would be an error of the SDK's.
    if (!targetInfo || resource.asyncAttributesPending === true) return '';
    const labels = writeInfoLabels(resource.attributes);
    if (labels === '') return '';
    const [family, type] = format === 'openmetrics' ? ['target', 'info'] : ['target_info', 'gauge'];
    return `# HELP ${family} Target metadata\n# TYPE ${family} ${type}\ntarget_info{${labels}} 1\n`;
  };

  return {
    *chunks(metrics, format) {
      const writer = idle.pop() ?? new ByteWriter();
      const info = targetInfoText(metrics.resource, format);
      const grouped = groupFamilies(
        metrics,
        slots,
        info === '' ? [] : ['target_info', 'family target'],
        warn,
      );
      slots = grouped.slots;
      writer.reserve(maxBytes(info));
      writer.text(info);
      let samples = info === '' ? 0 : 1;
      for (const family of grouped.families) {
        const write = family.type === 'histogram' ? writeHistogramLabels : writeLabels;
        samples += yield* writeFamily(writer, family, format, write, scopeLabels, warn);
      }
      if (format === 'openmetrics') {
        yield writer.reserve(endOfFile.length);
        writer.text(endOfFile);
      }
      yield writer.take();
      writer.release();
      // One stays for the next scrape, and not for its memory: when the last object of a class is collected, V8 throws
      // away the machine code that was compiled for it, and each scrape would begin with slow code again.
      if (idle.length === 0) idle.push(writer);
      return samples;
    },
  };
}

const endOfFile = '# EOF\n';
