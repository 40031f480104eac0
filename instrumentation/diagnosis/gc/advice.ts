import type { FindingCode } from '../codes';
import type { Evidence } from '../findings';
import type { GcStats } from './stats';

/** What collections may cost before something is to be done. */
export interface GcTargets {
  /** A major pause, in milliseconds. */
  readonly pauseMs: number;
  /** Share of time that the main thread is held up. */
  readonly fraction: number;
}

/** One thing to do about collections. */
export interface GcAdvice {
  readonly code: FindingCode;
  readonly subject: string;
  readonly evidence: Evidence;
  /** With numbers. */
  readonly advice: string;
  /** Options of Node.js to start with; all of them may stand in NODE_OPTIONS. */
  readonly flags: readonly string[];
}

const mib = 2 ** 20;
/** Times that the young generation is enlarged by at once, and the most that it is advised to be: past it pauses grow. */
const enlargeBy = 4;
const mostSemiSpaceMib = 64;
/** A semi-space costs three times its size; at most this share of the memory that is left is taken. */
const shareOfRoom = 0.5;
/** Share of the old generation's limit above which collections follow from it. */
const nearLimit = 0.6;
/** Share of what is allocated that is promoted, above which objects grow old too soon. */
const promotedTooSoon = 0.1;
/** Major collections that must have been seen, and long ones of them of late. */
const fewestMajors = 3;
const fewestLong = 3;

/** What to do about collections, with numbers; nothing where they cost less than what is aimed at. */
export function adviseOnGc(stats: GcStats, targets: GcTargets): GcAdvice[] {
  const advice: GcAdvice[] = [];
  const old = oldGeneration(stats, targets);
  const young = youngGeneration(stats, targets);
  if (young !== undefined) advice.push(young);
  if (old !== undefined) advice.push(old);
  const pauses = longPauses(stats, targets);
  if (pauses !== undefined) advice.push(pauses);
  return advice;
}

function youngGeneration(stats: GcStats, { fraction }: GcTargets): GcAdvice | undefined {
  const { minorFraction, majorFraction, promotionBytesPerSecond = 0, allocationBytesPerSecond = 0 } = stats;
  const promoted = allocationBytesPerSecond > 0 ? promotionBytesPerSecond / allocationBytesPerSecond : 0;
  const scavenges = minorFraction >= fraction;
  const tooSoon = promoted >= promotedTooSoon && minorFraction + majorFraction >= fraction;
  if (!scavenges && !tooSoon) return undefined;
  const semiSpaceMib = semiSpaceToAdvise(stats);
  if (semiSpaceMib === undefined) return undefined;
  return {
    code: 'gc_young_generation',
    subject: 'the young generation',
    evidence: {
      scavenge_fraction: round(minorFraction),
      scavenges_per_second: round(stats.minorPerSecond),
      scavenge_p99_ms: round(stats.kinds.minor.p99Ms),
      major_fraction: round(majorFraction),
      allocated_bytes_per_second: Math.round(allocationBytesPerSecond),
      promoted_share: round(promoted),
      semi_space_bytes: stats.semiSpaceBytes,
      advised_semi_space_bytes: semiSpaceMib * mib,
    },
    advice:
      `Scavenges are ${percent(minorFraction)} of wall time, ${round(stats.minorPerSecond)} a second, and ` +
      `${percent(promoted)} of what is allocated is promoted: start with --max-semi-space-size=${semiSpaceMib}, ` +
      `which takes up to ${3 * semiSpaceMib - Math.round((3 * stats.maxSemiSpaceBytes) / mib)} MiB more.`,
    flags: [`--max-semi-space-size=${semiSpaceMib}`],
  };
}

/** MiB of a semi-space that there is room for; `undefined` where it would be no larger. */
function semiSpaceToAdvise({ maxSemiSpaceBytes, roomBytes }: GcStats): number | undefined {
  const now = maxSemiSpaceBytes / mib;
  let wanted = Math.min(mostSemiSpaceMib, 2 ** Math.ceil(Math.log2(now * enlargeBy)));
  while (wanted > now && 3 * (wanted - now) * mib > roomBytes * shareOfRoom) wanted /= 2;
  return wanted > now ? wanted : undefined;
}

function oldGeneration(stats: GcStats, { fraction }: GcTargets): GcAdvice | undefined {
  const { majorFraction, liveBytes, oldGenerationLimitBytes: limit, heapLimitBytes, roomBytes } = stats;
  if (majorFraction < fraction || liveBytes < limit * nearLimit || stats.kinds.major.count < fewestMajors) {
    return undefined;
  }
  const wanted = Math.ceil((2 * liveBytes) / (256 * mib)) * 256;
  const more = wanted * mib - heapLimitBytes;
  if (more <= 0 || more > roomBytes) return undefined;
  return {
    code: 'gc_old_generation',
    subject: 'the old generation',
    evidence: {
      major_fraction: round(majorFraction),
      major_per_second: round(stats.majorPerSecond),
      live_bytes: liveBytes,
      limit_bytes: limit,
      advised_old_space_bytes: wanted * mib,
    },
    advice:
      `Major collections are ${percent(majorFraction)} of wall time, because ${Math.round(liveBytes / mib)} MiB of ` +
      `${Math.round(limit / mib)} are alive: start with --max-old-space-size=${wanted}, or keep less.`,
    flags: [`--max-old-space-size=${wanted}`],
  };
}

function longPauses(stats: GcStats, { pauseMs }: GcTargets): GcAdvice | undefined {
  const { count, maxMs, overMinutes } = stats.longMajors;
  if (count < fewestLong) return undefined;
  const live = Math.round(stats.liveBytes / mib);
  return {
    code: 'gc_pauses',
    subject: 'major collections',
    evidence: {
      long_pauses: count,
      over_minutes: overMinutes,
      max_ms: round(maxMs),
      target_ms: pauseMs,
      live_bytes: stats.liveBytes,
      major_per_second: round(stats.majorPerSecond),
    },
    advice:
      `${count} major collections of the last ${overMinutes} minutes stopped the process for more than ${pauseMs} ms, ` +
      `the longest for ${Math.round(maxMs)} ms; ${live} MiB are alive, which each goes through: keep fewer objects, ` +
      'hold large caches in buffers or outside, or divide the work among processes.',
    flags: [],
  };
}

const percent = (share: number): string => `${round(share * 100)} %`;
const round = (value: number): number => Number(value.toPrecision(2));
