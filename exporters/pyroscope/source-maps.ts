import { findSourceMap } from 'node:module';
import { dirname, isAbsolute, sep } from 'node:path';
import type { Function as PprofFunction, Profile } from 'pprof-format';
import { readSourceMap, sourcePath } from '../../instrumentation/source-map-file';
import type { Library, SourceMapConsumer } from './library';

/** A position as the profiler sees it: lines and columns from 1. */
interface GeneratedPosition {
  file: string;
  name?: string;
  line: number;
  column: number;
}

interface OriginalPosition {
  file: string;
  line: number;
  name: string | undefined;
}

/** Original positions for one generated file; undefined where the map has none. */
type Lookup = (line: number, column: number) => OriginalPosition | undefined;

/** Files remembered, those without a map included. */
const maxFiles = 5000;
/** Lines that stand for a recorded position; no file is that long. */
const firstPlaceholder = 2 ** 31;

/** Keeps positions while a profile is taken, and puts the originals into it afterwards. */
export interface SourceMaps {
  /** What `@datadog/pprof` calls for each position, synchronously, while it serialises. */
  readonly recorder: { mappingInfo(location: GeneratedPosition): GeneratedPosition };
  /** Positions recorded since the last call; to be called in the same turn in which the profile was taken. */
  takePositions(): GeneratedPosition[];
  /** Replaces in `profile` what was recorded by originals, or by itself where there is no map. Loads maps as needed. */
  apply(profile: Profile, positions: GeneratedPosition[]): Promise<void>;
}

/**
 * Source maps of just the files that appear in profiles, read when they first appear.
 *
 * The mappers of `@pyroscope/nodejs` and `@datadog/pprof` have to have read every map below a folder before the first
 * profile is taken, because they are asked in the middle of its serialisation. Here that question is answered with a
 * placeholder, the line `firstPlaceholder + n` for the n-th position, and the maps are read afterwards, without
 * blocking. This also keeps functions of one name in one bundle apart, which the serialiser merges.
 */
export function createSourceMaps(library: Pick<Library, 'format' | 'sourceMaps'>): SourceMaps {
  let positions: GeneratedPosition[] = [];
  const lookups = new Map<string, Promise<Lookup | undefined>>();

  const lookupOf = (file: string): Promise<Lookup | undefined> => {
    let lookup = lookups.get(file);
    if (lookup === undefined) {
      if (lookups.size >= maxFiles) return Promise.resolve(undefined);
      lookup = loadLookup(library, file).catch(() => undefined);
      lookups.set(file, lookup);
    }
    return lookup;
  };

  return {
    recorder: {
      mappingInfo(location) {
        if (!isApplicationFile(location.file)) return location;
        positions.push(location);
        return {
          ...location,
          name: location.name || '(anonymous)',
          line: firstPlaceholder + positions.length - 1,
        };
      },
    },
    takePositions() {
      const taken = positions;
      positions = [];
      return taken;
    },
    async apply(profile, taken) {
      if (taken.length === 0) return;
      const files = new Map<string, Lookup | undefined>();
      for (const { file } of taken) if (!files.has(file)) files.set(file, await lookupOf(file));
      replacePositions(library, profile, taken, files);
    },
  };
}

/** Maps inside node_modules mostly name sources that were not published. */
function isApplicationFile(file: string): boolean {
  return isAbsolute(file) && !file.includes(`${sep}node_modules${sep}`);
}

function replacePositions(
  library: Pick<Library, 'format'>,
  profile: Profile,
  positions: GeneratedPosition[],
  files: Map<string, Lookup | undefined>,
): void {
  const { stringTable } = profile;
  const functions = new Map<string, PprofFunction>();
  const functionOf = (name: string, file: string): PprofFunction => {
    const key = `${file}\0${name}`;
    let found = functions.get(key);
    if (found === undefined) {
      const nameId = stringTable.dedup(name);
      found = new library.format.Function({
        id: profile.function.length + 1,
        name: nameId,
        systemName: nameId,
        filename: stringTable.dedup(file),
      });
      profile.function.push(found);
      functions.set(key, found);
    }
    return found;
  };
  for (const location of profile.location) {
    for (const line of location.line) {
      const generated = positions[Number(line.line) - firstPlaceholder];
      if (generated === undefined) continue;
      const original = files.get(generated.file)?.(generated.line, generated.column);
      const at = original ?? generated;
      const name = generated.name || original?.name || `(anonymous:L#${at.line})`;
      line.functionId = functionOf(original?.name ?? name, at.file).id;
      line.line = at.line;
    }
  }
}

async function loadLookup(library: Pick<Library, 'sourceMaps'>, file: string): Promise<Lookup | undefined> {
  // Knows the maps that loaders such as tsx put into the code in memory, where maps are enabled in Node.js itself.
  const loaded = findSourceMap(file);
  if (loaded !== undefined) {
    return (line, column) => {
      const entry = loaded.findEntry(line - 1, Math.max(0, column - 1));
      if (!('originalSource' in entry)) return undefined;
      return {
        file: sourcePath(dirname(file), entry.originalSource),
        line: entry.originalLine + 1,
        name: (entry as { name?: string }).name || undefined,
      };
    };
  }
  const found = await readSourceMap(file);
  if (found === undefined) return undefined;
  const { SourceMapConsumer } = library.sourceMaps;
  const consumer: SourceMapConsumer = await new SourceMapConsumer(JSON.parse(found.text));
  return (line, column) => {
    const zeroBased = Math.max(0, column - 1);
    // Without a column the line's first mapping is nearer than none.
    const bias =
      zeroBased === 0 ? SourceMapConsumer.LEAST_UPPER_BOUND : SourceMapConsumer.GREATEST_LOWER_BOUND;
    const at = consumer.originalPositionFor({ line, column: zeroBased, bias });
    if (at.source === null || at.line === null) return undefined;
    return { file: sourcePath(found.folder, at.source), line: at.line, name: at.name ?? undefined };
  };
}
