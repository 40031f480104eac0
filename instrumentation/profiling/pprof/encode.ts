import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  Location,
  Mapping,
  Function as PprofFunction,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import { functionName } from './names';
import type { Frame, StackProfile } from './profile';

const compress = promisify(gzip);

export interface EncodeOptions {
  /** The working directory, from which paths in function names are shown. */
  readonly cwd: string;
  /** What was profiled: shown by viewers as the binary. */
  readonly program: string;
}

/** A profile as pprof's protobuf, gzip'd: what `go tool pprof`, Pyroscope and Grafana read. */
export async function encodePprof(profile: StackProfile, options: EncodeOptions): Promise<Buffer> {
  return compress(toPprof(profile, options).encode());
}

/** @see https://github.com/google/pprof/blob/main/proto/profile.proto */
export function toPprof(profile: StackProfile, { cwd, program }: EncodeOptions): Profile {
  const strings = new StringTable();
  const text = (value: string): number => strings.dedup(value);
  const valueType = ({ type, unit }: { type: string; unit: string }): ValueType =>
    new ValueType({ type: text(type), unit: text(unit) });
  const places = new Places(strings, cwd);
  const sample = profile.samples.map(
    ({ frames, values, labels = {} }) =>
      new Sample({
        locationId: frames.map(frame => places.location(frame)),
        value: values.map(wholeNumber),
        label: Object.entries(labels).map(([key, value]) => ({ key: text(key), str: text(value) })),
      }),
  );
  return new Profile({
    sampleType: profile.types.map(valueType),
    sample,
    // Says that names are already here, or `go tool pprof` looks for a binary to get them from.
    mapping: [
      new Mapping({
        id: 1,
        filename: text(program),
        hasFunctions: true,
        hasFilenames: true,
        hasLineNumbers: true,
      }),
    ],
    location: places.locations,
    function: places.functions,
    timeNanos: BigInt(Math.round(profile.startedAt)) * 1_000_000n,
    durationNanos: BigInt(Math.round(profile.durationMs)) * 1_000_000n,
    periodType: valueType(profile.period),
    period: profile.period.value,
    comment: profile.comments.map(text),
    defaultSampleType: text(profile.defaultType),
    stringTable: strings,
  });
}

/** Negative numbers are written as two's complement of 64 bits, which the library has for bigint only. */
function wholeNumber(value: number): number | bigint {
  const whole = Math.round(value);
  return whole < 0 ? BigInt.asUintN(64, BigInt(whole)) : whole;
}

/** Functions and locations of one profile, each once. */
class Places {
  readonly locations: Location[] = [];
  readonly functions: PprofFunction[] = [];
  readonly #locationIds = new Map<string, number>();
  readonly #functionIds = new Map<string, number>();

  constructor(
    readonly strings: StringTable,
    readonly cwd: string,
  ) {}

  location(frame: Frame): number {
    const functionId = this.#function(frame);
    const line = frame.line || frame.functionLine;
    const key = `${functionId}:${line}`;
    let id = this.#locationIds.get(key);
    if (id === undefined) {
      id = this.locations.length + 1;
      this.#locationIds.set(key, id);
      this.locations.push(new Location({ id, mappingId: 1, line: [{ functionId, line }] }));
    }
    return id;
  }

  #function(frame: Frame): number {
    const name = functionName(frame, this.cwd);
    // A bundle may hold functions of one name that begin in one line.
    const key = `${name}\0${frame.file}\0${frame.functionLine}\0${frame.functionColumn}`;
    let id = this.#functionIds.get(key);
    if (id === undefined) {
      id = this.functions.length + 1;
      this.#functionIds.set(key, id);
      this.functions.push(
        new PprofFunction({
          id,
          name: this.strings.dedup(name),
          systemName: this.strings.dedup(frame.name),
          filename: this.strings.dedup(frame.file),
          startLine: frame.functionLine,
        }),
      );
    }
    return id;
  }
}
