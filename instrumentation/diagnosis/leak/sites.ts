import type { AllocationNode } from '../../profiling/contract';
import { createHeapSampler, type HeapSampler, loadBinding } from '../../profiling/main/heap-sampler';
import { mannKendall } from './trend';

type SiteSampler = Pick<HeapSampler, 'start' | 'stop' | 'read'>;

/** A place in the code whose allocations are alive, and more of them than before. */
export interface GrowingSite {
  /** The innermost function that is the application's, and where it begins. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** By V8's samples, so only about right. */
  readonly addedBytes: number;
  readonly liveBytes: number;
  /** Innermost call first. */
  readonly stack: readonly string[];
  /** Whether it also adds listeners, which stay with what they listen to. */
  readonly addsListeners: boolean;
}

export interface SiteSearch {
  /** Begins to sample, unless it does already or has found enough. */
  begin(allocationPerSecond: number): void;
  /** To be told of each major collection that nobody forced: what is alive is then least mixed with garbage. */
  majorEnded(): void;
  /** Ends sampling; what was found stays. */
  end(): void;
  /** Forgets what was found. */
  reset(): void;
  /** Those that grew most; `undefined` while it is not known. */
  found(): readonly GrowingSite[] | undefined;
  /** Why it can't be known; `undefined` where it can. */
  readonly unavailable: string | undefined;
}

/** Samples a second at most, about: each costs some 10 us. */
const samplesPerSecond = 500;
const fewestBytes = 8 * 1024;
const mostBytes = 512 * 1024;
const mostSites = 5;
const mostFrames = 12;
/** Readings that it takes, and that are kept until a site has grown for sure. */
const fewestReadings = 5;
const mostReadings = 12;
/** Probability of chance below which a site has more and more, and times its sampling error by which. */
const significance = 0.02;
const overError = 3;
/** Share of it that comes in the newer half: what lived before the sampling began is not seen until it is replaced. */
const inNewerHalf = 0.3;
/** Share of the growth of the first that another must have to be named. */
const worthNaming = 0.05;

/**
 * Finds the places whose allocations stay: those of which V8's heap sampler has more and more alive after several major
 * collections. It samples only while there is a suspicion, and the less often the more is
 * allocated.
 *
 * @param gapMs between two readings, at least
 */
export function searchSites(
  gapMs: number,
  open: (intervalBytes: number) => SiteSampler | undefined = openSampler,
  now: () => number = Date.now,
): SiteSearch {
  let sampler: SiteSampler | undefined;
  let unavailable: string | undefined;
  let intervalBytes = mostBytes;
  let seen: { at: number; sites: ReadonlyMap<string, Site> }[] = [];
  let found: readonly GrowingSite[] | undefined;
  const end = (): void => {
    sampler?.stop();
    sampler = undefined;
    seen = [];
  };
  return {
    begin(allocationPerSecond) {
      if (sampler !== undefined || found !== undefined || unavailable !== undefined) return;
      intervalBytes = Math.min(
        mostBytes,
        Math.max(fewestBytes, Math.round(allocationPerSecond / samplesPerSecond)),
      );
      sampler = open(intervalBytes);
      if (sampler === undefined) unavailable = 'the heap sampler has no build for this platform';
      else sampler.start();
    },
    majorEnded() {
      if (sampler === undefined) return;
      const at = now();
      const last = seen[seen.length - 1];
      if (last !== undefined && at - last.at < gapMs) return;
      const { root } = sampler.read();
      if (root === undefined) return;
      seen.push({ at, sites: sitesOf(root) });
      if (seen.length < fewestReadings) return;
      if (seen.length > mostReadings) seen.shift();
      const growing = grown(
        seen.map(({ sites }) => sites),
        intervalBytes,
      );
      if (growing.length === 0) return;
      found = growing;
      end();
    },
    end,
    reset() {
      end();
      found = undefined;
    },
    found: () => found,
    get unavailable() {
      return unavailable;
    },
  };
}

function openSampler(intervalBytes: number): SiteSampler | undefined {
  const binding = loadBinding();
  return binding === undefined ? undefined : createHeapSampler(intervalBytes, binding);
}

interface Site {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  bytes: number;
  readonly stack: readonly string[];
  /** Bytes of the stack that is shown. */
  stackBytes: number;
  addsListeners: boolean;
}

/** What is alive by the innermost function that is no part of Node.js or V8. */
export function sitesOf(root: AllocationNode): Map<string, Site> {
  const sites = new Map<string, Site>();
  const visit = (node: AllocationNode, callers: readonly AllocationNode[]): void => {
    const stack = [node, ...callers];
    const bytes = node.allocations.reduce((sum, { count, sizeBytes }) => sum + count * sizeBytes, 0);
    const own = stack.find(isApplications) ?? (stack.some(isAgents) ? undefined : node);
    if (bytes > 0 && own !== undefined) {
      const { name = '', scriptName, lineNumber = 0 } = own;
      const key = `${name}\0${scriptName}\0${lineNumber}`;
      const site = sites.get(key);
      const shown = stack.slice(0, mostFrames).map(written);
      const addsListeners = site?.addsListeners === true || stack.some(isListening);
      if (site === undefined) {
        sites.set(key, {
          name: name || '(anonymous)',
          file: scriptName,
          line: lineNumber,
          bytes,
          stack: shown,
          stackBytes: bytes,
          addsListeners,
        });
      } else {
        const total = site.bytes + bytes;
        // Of several ways to one function the one with most is shown.
        if (bytes > site.stackBytes)
          sites.set(key, { ...site, bytes: total, stack: shown, stackBytes: bytes, addsListeners });
        else Object.assign(site, { bytes: total, addsListeners });
      }
    }
    for (const child of node.children) visit(child, stack);
  };
  for (const child of root.children) visit(child, []);
  return sites;
}

function isApplications({ scriptName }: Pick<AllocationNode, 'scriptName'>): boolean {
  return scriptName !== '' && !scriptName.startsWith('node:') && !isAgents({ scriptName });
}

/** This bundle, whose own allocations are nobody's leak to mend. */
const isAgents = ({ scriptName }: Pick<AllocationNode, 'scriptName'>): boolean => scriptName === __filename;

const isListening = ({ name, scriptName }: AllocationNode): boolean =>
  scriptName.startsWith('node:') &&
  /^(_addListener|addListener|on|once|prependListener|addEventListener)$/.test(name ?? '');

const written = ({ name, scriptName, lineNumber }: AllocationNode): string =>
  `${name || '(anonymous)'} ${scriptName}${lineNumber ? `:${lineNumber}` : ''}`.trimEnd();

/**
 * @param seen what was alive, oldest first
 * @param intervalBytes between two samples, by which a site's bytes are in error by the root of their product
 */
function grown(seen: readonly ReadonlyMap<string, Site>[], intervalBytes: number): GrowingSite[] {
  const after = seen[seen.length - 1]!;
  const sites = [...after].flatMap(([key, { name, file, line, bytes, stack, addsListeners }]) => {
    const course = seen.map(sites => sites.get(key)?.bytes ?? 0);
    const addedBytes = bytes - course[0]!;
    const lately = bytes - course[(course.length - 1) >> 1]!;
    const error = Math.sqrt((bytes + course[0]!) * intervalBytes);
    if (file === '' || addedBytes < overError * error || mannKendall(course).p >= significance) return [];
    if (lately < Math.max(error, addedBytes * inNewerHalf)) return [];
    return [
      {
        name,
        file,
        line,
        addedBytes: Math.round(addedBytes),
        liveBytes: Math.round(bytes),
        stack,
        addsListeners,
      },
    ];
  });
  sites.sort((a, b) => b.addedBytes - a.addedBytes);
  const most = sites[0]?.addedBytes ?? 0;
  return sites.filter(({ addedBytes }) => addedBytes >= most * worthNaming).slice(0, mostSites);
}
