/** When a level is out of the ordinary. */
export interface Thresholds {
  /** Below it nothing is. */
  readonly min: number;
  /** Percent over the usual. */
  readonly rise: number;
  /** From it on everything is, whatever is usual; 0 for none. */
  readonly max: number;
}

/** What a rule saw when it fired. */
export interface Firing {
  readonly value: number;
  /** The median of the ring; `undefined` while too little is known. */
  readonly usual: number | undefined;
  /** What the value had to reach. */
  readonly threshold: number;
  /** The ring, oldest first, with the value as its last. */
  readonly recent: readonly number[];
}

export interface Detector {
  /** Takes one reading, which fires or does not. `undefined` is a reading that there was none of. */
  observe(value: number | undefined): Firing | undefined;
  /** Takes one reading that only teaches what is usual. */
  learn(value: number | undefined): undefined;
}

/** Readings that are remembered. */
const ringSize = 60;
/** Readings that make a usual level. */
const fewestKnown = 6;
/** Readings over the threshold, one after the other, that it takes to fire. */
const sustained = 2;
/** Share of the threshold that the level has to fall below before the rule can fire again. */
const clearShare = 0.9;

/**
 * Watches one level for a change to the worse.
 *
 * What fired stays quiet until the level was well below its threshold (hysteresis). Meanwhile readings go on to teach
 * what is usual, so that a level which stays high becomes the usual one, and fires again only when it rises again.
 */
export function createDetector({ min, rise, max }: Thresholds): Detector {
  const ring: number[] = [];
  let over = 0;
  let armed = true;

  const remember = (value: number): void => {
    ring.push(value);
    if (ring.length > ringSize) ring.shift();
  };
  return {
    learn(value) {
      if (value !== undefined) remember(value);
      return undefined;
    },
    observe(value) {
      if (value === undefined) {
        over = 0;
        return undefined;
      }
      const usual = ring.length < fewestKnown ? undefined : median(ring);
      const risen = usual === undefined ? Infinity : Math.max(min, usual * (1 + rise / 100));
      const threshold = Math.min(risen, max === 0 ? Infinity : max);
      remember(value);
      if (value < threshold) {
        over = 0;
        if (value < threshold * clearShare) armed = true;
        return undefined;
      }
      over++;
      if (!armed || over < sustained) return undefined;
      armed = false;
      return { value, usual, threshold, recent: [...ring] };
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
