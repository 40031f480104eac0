import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Profile } from 'pprof-format';

const decompress = promisify(gunzip);

/** Nodes handed out at most; the smallest go first. */
const maxNodes = 30_000;

/** A call with all that it called: index of its frame, one total for each type, calls. */
export type FlameNode = readonly [frame: number, totals: readonly number[], calls: readonly FlameNode[]];

/** A profile as a flame graph draws it. */
export interface Flame {
  readonly types: readonly { readonly type: string; readonly unit: string }[];
  /** The type to show first. */
  readonly shown: number;
  readonly durationMs: number;
  readonly comments: readonly string[];
  readonly frames: readonly FlameFrame[];
  /** The totals of the whole profile; its frame is -1. */
  readonly root: FlameNode;
  /** Calls too small to be handed out. */
  readonly left: number;
}

export interface FlameFrame {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

interface Growing {
  readonly totals: number[];
  readonly calls: Map<number, Growing>;
}

/** Reads a gzip'd pprof file, and puts its stacks together from the outermost call on. */
export async function readFlame(file: Uint8Array): Promise<Flame> {
  return toFlame(Profile.decode(await decompress(file)));
}

export function toFlame(profile: Profile): Flame {
  const { strings } = profile.stringTable;
  const text = (index: number | bigint): string => strings[Number(index)] ?? '';
  const functions = new Map(profile.function.map(each => [Number(each.id), each]));
  const frames: FlameFrame[] = [];
  const frameIndex = new Map<string, number>();
  const indexOf = (frame: FlameFrame): number => {
    const key = `${frame.name}\0${frame.file}\0${frame.line}`;
    const present = frameIndex.get(key);
    if (present !== undefined) return present;
    frames.push(frame);
    frameIndex.set(key, frames.length - 1);
    return frames.length - 1;
  };
  // Calls of one function are one, whatever line of it called on: the function's first line names it.
  const framesOf = new Map(
    profile.location.map(location => [
      Number(location.id),
      location.line.map(({ functionId, line }) => {
        const made = functions.get(Number(functionId));
        return indexOf({
          name: text(made?.systemName ?? 0) || '(anonymous)',
          file: text(made?.filename ?? 0),
          line: Number(made?.startLine ?? 0) || Number(line),
        });
      }),
    ]),
  );
  const types = profile.sampleType.map(({ type, unit }) => ({ type: text(type), unit: text(unit) }));
  const root: Growing = { totals: types.map(() => 0), calls: new Map() };
  for (const { locationId, value } of profile.sample) {
    const values = value.map(signed);
    let node = root;
    add(node.totals, values);
    // Innermost first in pprof, in each location too.
    for (const frame of locationId.flatMap(id => framesOf.get(Number(id)) ?? []).reverse()) {
      let next = node.calls.get(frame);
      if (next === undefined) {
        next = { totals: types.map(() => 0), calls: new Map() };
        node.calls.set(frame, next);
      }
      add(next.totals, values);
      node = next;
    }
  }
  const preferred = types.findIndex(({ type }) => type === text(profile.defaultSampleType));
  const shown = preferred === -1 ? types.length - 1 : preferred;
  const least = smallestKept(root, shown);
  let left = 0;
  const freeze = (frame: number, { totals, calls }: Growing): FlameNode => {
    const kept = [...calls].filter(([, call]) => weight(call, shown) >= least);
    for (const [, call] of calls) if (weight(call, shown) < least) left += countNodes(call);
    return [frame, totals, kept.map(([index, call]) => freeze(index, call))];
  };
  return {
    types,
    shown,
    durationMs: Number(profile.durationNanos) / 1e6,
    comments: profile.comment.map(text),
    frames,
    root: freeze(-1, root),
    left,
  };
}

/** Differences have negative values, which the library gives as if they were unsigned. */
function signed(value: number | bigint): number {
  return Number(BigInt.asIntN(64, BigInt(value)));
}

function add(totals: number[], values: readonly number[]): void {
  for (let i = 0; i < totals.length; i++) totals[i]! += values[i] ?? 0;
}

function weight({ totals }: Growing, type: number): number {
  return Math.abs(totals[type] ?? 0);
}

/** The weight that all calls have of which no more than the limit are handed out; a call weighs less than its caller. */
function smallestKept(root: Growing, type: number): number {
  const weights: number[] = [];
  const walk = (node: Growing): void => {
    for (const call of node.calls.values()) {
      weights.push(weight(call, type));
      walk(call);
    }
  };
  walk(root);
  if (weights.length <= maxNodes) return 0;
  weights.sort((a, b) => b - a);
  // One above the weight at the limit, since many calls may weigh the same.
  return weights[maxNodes]! + 1;
}

function countNodes({ calls }: Growing): number {
  let count = 1;
  for (const call of calls.values()) count += countNodes(call);
  return count;
}
