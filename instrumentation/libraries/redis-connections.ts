import type { PoolKind, Pools } from '../meters/db-pool';

/**
 * Connections of Redis clients to one place, shown together as a pool: a client is one connection, and an
 * application may have many.
 */
interface Group {
  readonly clients: Set<WeakRef<object>>;
}

/** Notes a client; it counts for as long as it is alive and `isReady` says so. */
export type NoteClient = (client: object, place: string) => void;

export function createConnectionGroups(pools: Pools, isReady: (client: object) => boolean): NoteClient {
  const groups = new Map<string, Group>();
  const known = new WeakSet<object>();
  const places = new WeakMap<Group, string>();

  const kind: PoolKind<Group> = {
    read(group) {
      let used = 0;
      for (const ref of group.clients) {
        const client = ref.deref();
        if (client === undefined) group.clients.delete(ref);
        else if (isReady(client)) used++;
      }
      if (group.clients.size > 0) return { used, idle: 0 };
      groups.delete(places.get(group)!);
      return undefined;
    },
    name: group => places.get(group),
  };

  return (client, place) => {
    if (known.has(client)) return;
    known.add(client);
    let group = groups.get(place);
    if (group === undefined) {
      group = { clients: new Set() };
      groups.set(place, group);
      places.set(group, place);
    }
    group.clients.add(new WeakRef(client));
    pools.track(group, kind);
  };
}
