import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';

/** One line of a stack, innermost first in a stack. */
export interface PprofFrame {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly startLine: number;
}

/** A profile as a viewer sees it. */
export interface DecodedPprof {
  /** `type/unit` of each value of a sample. */
  readonly types: readonly string[];
  readonly defaultType: string;
  readonly comments: readonly string[];
  readonly program: string;
  readonly durationMs: number;
  readonly period: number;
  readonly samples: readonly {
    readonly values: readonly number[];
    readonly frames: readonly PprofFrame[];
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Functions by their own share of `type`, largest first, as `go tool pprof -top` has them. */
  top(type: string): { name: string; value: number; frame: PprofFrame }[];
  total(type: string): number;
}

/** Reads a pprof file, gzip'd or not, as strictly as its own tool: nothing may refer to what is not there. */
export function decodePprof(data: Uint8Array): DecodedPprof {
  const profile = Profile.decode(data[0] === 0x1f ? gunzipSync(data) : data);
  const text = (index: number | bigint): string => {
    const found = profile.stringTable.strings[Number(index)];
    if (found === undefined) throw new Error(`no string ${index}`);
    return found;
  };
  const byId = <T extends { id: number | bigint }>(items: T[]) =>
    new Map(items.map(item => [Number(item.id), item]));
  const functions = byId(profile.function);
  const mappings = byId(profile.mapping);
  const frames = new Map(
    profile.location.map(location => {
      // A profile need not have mappings; the profilers of Pyroscope make none.
      const mapping = Number(location.mappingId);
      if (!mappings.has(mapping) && (mapping !== 0 || mappings.size > 0))
        throw new Error(`no mapping ${location.mappingId}`);
      const line = location.line[0]!;
      const fn = functions.get(Number(line.functionId));
      if (fn === undefined) throw new Error(`no function ${line.functionId}`);
      const frame = {
        name: text(fn.name),
        file: text(fn.filename),
        line: Number(line.line),
        startLine: Number(fn.startLine),
      };
      return [Number(location.id), frame];
    }),
  );
  const types = profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`);
  const samples = profile.sample.map(sample => {
    if (sample.value.length !== types.length)
      throw new Error(`${sample.value.length} values of ${types.length}`);
    return {
      values: sample.value.map(signed),
      frames: sample.locationId.map(id => {
        const frame = frames.get(Number(id));
        if (frame === undefined) throw new Error(`no location ${id}`);
        return frame;
      }),
      labels: Object.fromEntries(sample.label.map(({ key, str }) => [text(key), text(str)])),
    };
  });
  const indexOf = (type: string): number => {
    const index = types.indexOf(type);
    if (index < 0) throw new Error(`Expected one of ${types.join(', ')}, got ${type}`);
    return index;
  };
  return {
    types,
    defaultType: text(profile.defaultSampleType),
    comments: profile.comment.map(text),
    program: text(profile.mapping[0]?.filename ?? 0),
    durationMs: Number(profile.durationNanos) / 1e6,
    period: Number(profile.period),
    samples,
    top(type) {
      const index = indexOf(type);
      const own = new Map<string, { name: string; value: number; frame: PprofFrame }>();
      for (const { values, frames: stack } of samples) {
        const frame = stack[0]!;
        const entry = own.get(frame.name) ?? { name: frame.name, value: 0, frame };
        entry.value += values[index]!;
        own.set(frame.name, entry);
      }
      return [...own.values()].sort((a, b) => b.value - a.value);
    },
    total(type) {
      const index = indexOf(type);
      return samples.reduce((sum, { values }) => sum + values[index]!, 0);
    },
  };
}

/** Protobuf's int64: the library reads it without its sign. */
function signed(value: number | bigint): number {
  return Number(BigInt.asIntN(64, BigInt(value)));
}
