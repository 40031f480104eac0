import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

const folder = '/proc/self/fd';

/** Keeps the number of open file descriptors known, as cheaply as the kernel allows. */
export interface DescriptorCount {
  /** The number now, or when it was counted last; `undefined` where it can't be known. */
  read(): number | undefined;
  /** Counts beside the readings where counting is slow. */
  tick(): void;
}

/** The calls that count, for tests of kernels that this machine does not run. */
export interface FolderCalls {
  size(): number;
  list(): readonly string[];
  listLater(): Promise<readonly string[]>;
}

const ownFolder: FolderCalls = {
  size: () => statSync(folder).size,
  list: () => readdirSync(folder),
  listLater: () => readdir(folder),
};

/** Linux alone. */
export function countDescriptors({ size, list, listLater }: FolderCalls = ownFolder): DescriptorCount {
  // Since 6.2 Linux gives the number of open descriptors as the folder's size; before, that is 0.
  const fromSize = (): number | undefined => ifReadable(() => size() || undefined);
  if (fromSize() !== undefined) return { read: fromSize, tick: () => {} };
  // Listing tens of thousands of descriptors takes too long for a scrape; at the start there are few of them.
  let counted = ifReadable(() => withoutOwn(list()));
  const tick = (): void =>
    void listLater().then(
      entries => {
        counted = withoutOwn(entries);
      },
      () => {
        counted = undefined;
      },
    );
  return { read: () => counted, tick };
}

/** The listing itself holds one descriptor. */
function withoutOwn(entries: readonly string[]): number {
  return Math.max(0, entries.length - 1);
}

/** The soft limit on open descriptors. */
export function descriptorLimit(): number | undefined {
  return ifReadable(() => {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  });
}

/** A sandbox may hide /proc, and other systems have none; the series is then absent. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
