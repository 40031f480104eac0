import { getHeapStatistics } from 'node:v8';
import type { Environment } from '../config/load';
import { environment } from '../environment';

const mib = 2 ** 20;

/** Options of Node.js that are in force, as `NODE_OPTIONS` and the command line give them. */
export const flagsInForce = (env: Environment = environment()): readonly string[] => [
  ...(env['NODE_OPTIONS']?.split(/\s+/) ?? []),
  ...process.execArgv,
];

/**
 * Bytes that a semi-space of the young generation may grow to: what `--max-semi-space-size` says, else V8's default,
 * which is (heap_size_limit - --max-old-space-size) / 3, measured on 64-bit Linux with Node.js 20 to 26.
 */
export function maxSemiSpace(flags: readonly string[], nodeMajor = majorOf(process.versions.node)): number {
  return mebibytes(flags, 'semi') ?? (nodeMajor < 24 ? 16 : nodeMajor < 26 ? 64 : 32) * mib;
}

/** What `--max-old-space-size` says, in bytes; `undefined` where it is not given. */
export const oldSpaceFlag = (flags: readonly string[]): number | undefined => mebibytes(flags, 'old');

/** The last of several options holds; 0 is none. */
function mebibytes(flags: readonly string[], space: 'semi' | 'old'): number | undefined {
  const option = new RegExp(`^--max[-_]${space}[-_]space[-_]size(?:=(\\d+))?$`);
  let value: number | undefined;
  for (const [i, flag] of flags.entries()) {
    const found = option.exec(flag);
    if (found === null) continue;
    const number = Number(found[1] ?? flags[i + 1]);
    if (number > 0) value = number * mib;
  }
  return value;
}

const majorOf = (version: string): number => Number(version.split('.')[0]);

const flags = flagsInForce();
const semiSpace = maxSemiSpace(flags);
const oldSpace = oldSpaceFlag(flags);

/**
 * Bytes that the old generation may grow to before the process runs out of memory. The limit that V8 tells includes
 * the young generation, which old objects can't use: three semi-spaces.
 */
export function oldGenerationLimit(): number {
  const all = getHeapStatistics().heap_size_limit;
  if (oldSpace !== undefined && oldSpace < all) return oldSpace;
  // With --max-heap-size V8 makes the young generation smaller; it is never more than half of all.
  return Math.max(all - 3 * semiSpace, all / 2);
}
