import { guarded } from '../guard';
import type { Log } from '../log';
import { countDescriptors, descriptorLimit } from '../meters/file-descriptors';
import { heapFill, nearlyFull } from '../meters/heap-use';
import { memoryLimit } from '../meters/memory-limit';
import { residentMemory } from '../meters/memory-use';
import type { FindingCode } from './codes';
import type { Findings } from './findings';

/** What there is of something, and what there can be; `undefined` where it can't be read. */
export interface Usage {
  readonly used: number | undefined;
  readonly limit: number | undefined;
}

/** What can run out, and the share of the limit from which it is about to. */
export interface Exhaustible {
  readonly code: FindingCode;
  readonly subject: string;
  readonly share: number;
  /** Ends the names of the evidence. */
  readonly unit: string;
  read(): Usage;
  tick?(): void;
}

/**
 * What a process runs out of.
 *
 * @param live bytes that the last major collection left in the old generation, once there was one
 */
export function exhaustibles(live: () => number | undefined = () => undefined): Exhaustible[] {
  const descriptors = process.platform === 'linux' ? countDescriptors() : undefined;
  const mostDescriptors = process.platform === 'linux' ? descriptorLimit() : undefined;
  return [
    {
      code: 'heap_headroom',
      subject: 'the V8 heap',
      share: nearlyFull,
      unit: 'bytes',
      read() {
        const { bytes, limit } = heapFill(live());
        return { used: bytes, limit };
      },
    },
    {
      code: 'memory_headroom',
      subject: 'the process',
      share: 0.9,
      unit: 'bytes',
      read: () => ({ used: residentMemory(), limit: memoryLimit() }),
    },
    {
      code: 'file_descriptors',
      subject: 'the process',
      share: 0.8,
      unit: 'descriptors',
      read: () => ({ used: descriptors?.read(), limit: mostDescriptors }),
      tick: () => descriptors?.tick(),
    },
  ];
}

/** Finds what is about to run out. */
export function watchHeadroom(
  findings: Findings,
  log: Log,
  things: readonly Exhaustible[],
): { look(): void } {
  const lookAt = guarded(log, 'looking at what runs out', (thing: Exhaustible) => {
    const { used, limit } = thing.read();
    thing.tick?.();
    if (used === undefined || limit === undefined || used < limit * thing.share) return;
    const { unit } = thing;
    findings.report(thing.code, thing.subject, { [`used_${unit}`]: used, [`limit_${unit}`]: limit });
  });
  return {
    look() {
      for (const thing of things) lookAt(thing);
    },
  };
}
