import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** The text of a file, or `undefined` where it can't be read. */
export type ReadText = (path: string) => string | undefined;

/** Where the hierarchy with memory limits is mounted, by version of Linux's control groups, and its files' name. */
const hierarchies = {
  // "unified" where both versions are mounted; memory is then limited by one of them only.
  v2: { roots: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'], file: 'memory.max' },
  v1: { roots: ['/sys/fs/cgroup/memory'], file: 'memory.limit_in_bytes' },
} as const;

/**
 * Bytes that the process may use before the kernel ends it: the tightest limit of its control groups, else the
 * machine's memory. libuv's `process.constrainedMemory()` looks at the innermost group only, and takes
 * `memory.high`, at which the kernel slows a process down, for a limit.
 *
 * Sources: cgroups(7), https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
 */
export function memoryLimit(read: ReadText = readText, machine = totalmem()): number {
  let limit = machine;
  for (const line of read('/proc/self/cgroup')?.split('\n') ?? []) {
    // hierarchy-ID:controller-list:cgroup-path; in version 2 the first is 0 and the second empty.
    const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (id === undefined || path === undefined) continue;
    if (id === '0' && controllers === '') limit = Math.min(limit, tightest(read, hierarchies.v2, path));
    else if (controllers?.split(',').includes('memory')) {
      limit = Math.min(limit, tightest(read, hierarchies.v1, path));
    }
  }
  return limit;
}

/** The least of the limits of a group and of those around it. */
function tightest(read: ReadText, { roots, file }: (typeof hierarchies)['v1' | 'v2'], path: string): number {
  let least = Number.POSITIVE_INFINITY;
  // A container sees its own group at the root, and may be told its path on the host, which is not there.
  const segments = path.split('/').filter(segment => segment !== '' && segment !== '..');
  for (const root of roots) {
    for (let depth = segments.length; depth >= 0; depth--) {
      const text = read(join(root, ...segments.slice(0, depth), file))?.trim() ?? '';
      // "max", and in version 1 a number past any machine's memory, mean no limit.
      if (/^\d+$/.test(text) && Number(text) > 0) least = Math.min(least, Number(text));
    }
  }
  return least;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux, not this version, or hidden by a sandbox.
    return undefined;
  }
}
