import type { PanelJson } from '../../test/helpers/boards';
import type { Ingested } from '../../test/helpers/ingest-server';
import type { Flame, Line } from './model';

interface Node {
  readonly name: string;
  value: number;
  self: number;
  readonly children: Map<string, Node>;
}

const kinds = {
  'wall:cpu:nanoseconds:wall:nanoseconds': { kind: 'wall', type: 'cpu/nanoseconds', unit: 'ns' },
  'wall:wall:nanoseconds:wall:nanoseconds': { kind: 'wall', type: 'wall/nanoseconds', unit: 'ns' },
  'memory:inuse_space:bytes:inuse_space:bytes': {
    kind: 'heap',
    type: 'inuse_space/bytes',
    unit: 'bytes',
  },
} as const;

/** What a panel of Pyroscope shows, of profiles that were pushed. */
export function profilePanel(
  panel: PanelJson,
  profiles: readonly Ingested[],
): { readonly lines: readonly Line[]; readonly flame?: Flame } {
  const id = panel.targets?.[0]?.profileTypeId as keyof typeof kinds;
  const { kind, type, unit } = kinds[id];
  const wanted = profiles.filter(profile => profile.kind === kind && profile.types.includes(type));
  if (panel.type === 'flamegraph') return { lines: [], flame: flameOf(wanted, type, unit) };
  const sums = wanted.map(profile => {
    const index = profile.types.indexOf(type);
    const seconds = Number(profile.query['until']) - Number(profile.query['from']);
    const sum = profile.samples.reduce((all, { values }) => all + values[index]!, 0);
    return { time: Number(profile.query['until']) * 1000, value: sum / Math.max(1, seconds) };
  });
  return {
    lines: [
      {
        refId: 'A',
        name: wanted[0]?.application ?? '',
        times: sums.map(({ time }) => time),
        values: sums.map(({ value }) => value),
        unit,
      },
    ],
  };
}

/** All stacks put together, from the root down; the newest heap profile is the memory in use now. */
function flameOf(profiles: readonly Ingested[], type: string, unit: string): Flame {
  const root: Node = { name: 'total', value: 0, self: 0, children: new Map() };
  for (const profile of unit === 'bytes' ? profiles.slice(-1) : profiles) {
    const index = profile.types.indexOf(type);
    for (const { values, frames } of profile.samples) {
      const value = values[index]!;
      let node = root;
      node.value += value;
      for (const { name } of frames.toReversed()) {
        const child = node.children.get(name) ?? { name, value: 0, self: 0, children: new Map() };
        node.children.set(name, child);
        child.value += value;
        node = child;
      }
      node.self += value;
    }
  }
  const flame = {
    unit,
    labels: [] as string[],
    levels: [] as number[],
    values: [] as number[],
    selfs: [] as number[],
  };
  const walk = (node: Node, level: number): void => {
    flame.labels.push(node.name);
    flame.levels.push(level);
    flame.values.push(node.value);
    flame.selfs.push(node.self);
    for (const child of node.children.values()) walk(child, level + 1);
  };
  walk(root, 0);
  return flame;
}
