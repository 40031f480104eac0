import type { Flame, FlameNode } from '../../profiling/pprof/flame';

/** A call as it is drawn. */
export interface Box {
  readonly node: FlameNode;
  readonly parent: Box | undefined;
  readonly depth: number;
  /** From the left edge and in width, as shares of the whole. */
  readonly x: number;
  readonly width: number;
  readonly children: Box[];
}

/** Lays out all calls, the widest first among those of one caller. */
export function layOut({ root }: Flame, type: number): Box {
  const build = (node: FlameNode, parent: Box | undefined, depth: number, x: number, width: number): Box => {
    const box: Box = { node, parent, depth, x, width, children: [] };
    const total = Math.abs(node[1][type]!);
    let left = x;
    const calls = [...node[2]].sort((a, b) => Math.abs(b[1][type]!) - Math.abs(a[1][type]!));
    for (const call of calls) {
      const share = total === 0 ? 0 : (width * Math.abs(call[1][type]!)) / total;
      if (share === 0) continue;
      box.children.push(build(call, box, depth + 1, left, share));
      left += share;
    }
    return box;
  };
  return build(root, undefined, 0, 0, 1);
}

/** What a call took itself, without those it called. */
export function selfOf([, totals, calls]: FlameNode, type: number): number {
  return totals[type]! - calls.reduce((sum, [, below]) => sum + below[type]!, 0);
}

/** A function over all its calls. */
export interface FunctionTotal {
  readonly frame: number;
  readonly self: number;
  /** With what it called; a function that calls itself counts once. */
  readonly total: number;
}

/** Functions by what they took themselves, most first. */
export function functionTotals({ root, frames }: Flame, type: number): FunctionTotal[] {
  const self = new Array<number>(frames.length).fill(0);
  const total = new Array<number>(frames.length).fill(0);
  const above = new Set<number>();
  const walk = (node: FlameNode): void => {
    const [frame, totals, calls] = node;
    const outermost = frame >= 0 && !above.has(frame);
    if (frame >= 0) self[frame]! += selfOf(node, type);
    if (outermost) {
      total[frame]! += totals[type]!;
      above.add(frame);
    }
    for (const call of calls) walk(call);
    if (outermost) above.delete(frame);
  };
  walk(root);
  return self
    .map((value, frame) => ({ frame, self: value, total: total[frame]! }))
    .filter(each => each.self !== 0 || each.total !== 0)
    .sort((a, b) => Math.abs(b.self) - Math.abs(a.self) || Math.abs(b.total) - Math.abs(a.total));
}

/** The share of the profile below functions that match; calls within a match count once. */
export function matchedShare({ root }: Flame, type: number, matches: (frame: number) => boolean): number {
  const walk = ([frame, totals, calls]: FlameNode): number =>
    frame >= 0 && matches(frame) ? Math.abs(totals[type]!) : calls.reduce((sum, call) => sum + walk(call), 0);
  const whole = Math.abs(root[1][type]!);
  return whole === 0 ? 0 : walk(root) / whole;
}
