import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, isAbsolute, sep } from 'node:path';
import { readSourceMap, sourcePath } from '../../source-map-file';
import type { Frame, StackProfile } from '../pprof/profile';

/** Maps held at once; each takes several times the size of its file. */
const maxMaps = 200;
/** Column that lies behind everything in a line. */
const endOfLine = 1_000_000;

interface Original {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly name: string | undefined;
}

type Lookup = (line: number, column: number) => Original | undefined;

/** Puts original files and lines into profiles, where source maps lie beside the code that ran. */
export interface FrameMapper {
  apply(profile: StackProfile): Promise<StackProfile>;
}

/**
 * @param loadedMap the map that a loader put into the code of a file as it was loaded, which only the main thread has
 */
export function createFrameMapper(loadedMap: (file: string) => Promise<object | undefined>): FrameMapper {
  const lookups = new Map<string, Promise<Lookup | undefined>>();
  const lookupOf = (file: string): Promise<Lookup | undefined> => {
    let lookup = lookups.get(file);
    if (lookup === undefined) {
      const [oldest] = lookups.keys();
      if (lookups.size >= maxMaps && oldest !== undefined) lookups.delete(oldest);
      // A map that can't be read is as good as none.
      lookup = load(file, loadedMap).catch(() => undefined);
      lookups.set(file, lookup);
    }
    return lookup;
  };
  return {
    async apply(profile) {
      const files = new Set(profile.samples.flatMap(({ frames }) => frames.map(({ file }) => file)));
      const found = new Map<string, Lookup>();
      for (const file of files) {
        const lookup = isApplicationFile(file) ? await lookupOf(file) : undefined;
        if (lookup !== undefined) found.set(file, lookup);
      }
      if (found.size === 0) return profile;
      const mapped = new Map<Frame, Frame>();
      const map = (frame: Frame): Frame => {
        const lookup = found.get(frame.file);
        if (lookup === undefined) return frame;
        const known = mapped.get(frame) ?? original(frame, lookup);
        mapped.set(frame, known);
        return known;
      };
      const samples = profile.samples.map(sample => ({ ...sample, frames: sample.frames.map(map) }));
      return { ...profile, samples };
    },
  };
}

/** Maps inside node_modules mostly name sources that were not published. */
function isApplicationFile(file: string): boolean {
  return isAbsolute(file) && !file.includes(`${sep}node_modules${sep}`);
}

function original(frame: Frame, lookup: Lookup): Frame {
  const begin = frame.functionLine > 0 ? lookup(frame.functionLine, frame.functionColumn) : undefined;
  // In a bundle of one line, a line without its column says nothing: there the function's beginning has to do.
  const sameLine = frame.line === frame.functionLine && frame.column === 0;
  const at = frame.line > 0 && !sameLine ? lookup(frame.line, frame.column) : begin;
  const place = at ?? begin;
  if (place === undefined) return frame;
  return {
    // At the beginning of a function a map has its name from before it was shortened; at that of one without a name it
    // has whatever stands before it.
    name: frame.name === '' ? '' : (begin?.name ?? frame.name),
    file: place.file,
    line: place.line,
    column: place.column,
    functionLine: begin?.file === place.file ? begin.line : 0,
    functionColumn: begin?.file === place.file ? begin.column : 0,
  };
}

async function load(
  file: string,
  loadedMap: (file: string) => Promise<object | undefined>,
): Promise<Lookup | undefined> {
  const loaded = await loadedMap(file);
  if (loaded !== undefined) return lookupIn(loaded, dirname(file));
  const found = await readSourceMap(file);
  return found === undefined ? undefined : lookupIn(JSON.parse(found.text) as object, found.folder);
}

function lookupIn(payload: object, folder: string): Lookup {
  const map = new SourceMap(payload as SourceMapPayload);
  return (line, column) => {
    // Without a column, the last place of the line; the first lies behind its indentation, where no column 1 leads.
    const entry = map.findEntry(line - 1, column > 0 ? column - 1 : endOfLine);
    if (!('originalSource' in entry) || entry.originalSource === undefined) return undefined;
    return {
      file: sourcePath(folder, entry.originalSource),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
      name: (entry as { name?: string }).name || undefined,
    };
  };
}
