import type { ResourceGroup } from '../contract';
import type { Frame } from '../pprof/profile';
import { stackKey } from '../pprof/profile';

/** What a tracker knows of the resources alive: their types and the places that made them. */
export interface TrackedResources {
  alive(): readonly { readonly type: string; readonly created: readonly Frame[]; readonly count: number }[];
}

interface HandleList {
  _getActiveHandles?: () => readonly object[];
}

/** The resources that keep the event loop going, grouped by type and by what they are connected to. */
export function readActiveResources(tracker: TrackedResources | undefined): ResourceGroup[] {
  const groups = new Map<string, ResourceGroup & { count: number }>();
  const add = (type: string, detail: string, created: readonly Frame[] | undefined, count: number): void => {
    const key = `${type}\0${detail}\0${created === undefined ? '' : stackKey({ frames: created })}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { type, detail, created, count });
    else group.count += count;
  };

  const left = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) left.set(type, (left.get(type) ?? 0) + 1);
  const take = (type: string, count: number): number => {
    const taken = Math.min(count, left.get(type) ?? 0);
    left.set(type, (left.get(type) ?? 0) - taken);
    return taken;
  };
  if (tracker !== undefined) {
    for (const { type, created, count } of tracker.alive()) {
      const taken = take(type, count);
      if (taken > 0) add(type, '', created, taken);
    }
  }
  for (const handle of (process as HandleList)._getActiveHandles?.() ?? []) {
    const described = describe(handle);
    if (described !== undefined && take(described.type, 1) > 0)
      add(described.type, described.detail, undefined, 1);
  }
  for (const [type, count] of left) if (count > 0) add(type, '', undefined, count);
  return [...groups.values()];
}

interface Handle {
  readonly _handle?: { readonly constructor?: { readonly name?: string } } | null;
  readonly fd?: unknown;
  readonly remoteAddress?: unknown;
  readonly remotePort?: unknown;
  readonly localPort?: unknown;
  readonly spawnfile?: unknown;
  /** Of a socket that a server accepted. */
  readonly server?: unknown;
  readonly listen?: unknown;
  address?(): unknown;
}

/** The type by the name of the resource behind a handle, as `process.getActiveResourcesInfo()` has it. */
function describe(object: object): { type: string; detail: string } | undefined {
  const handle = object as Handle;
  try {
    if (typeof handle.spawnfile === 'string') {
      return { type: 'ProcessWrap', detail: `child process ${handle.spawnfile.split(/[\\/]/).pop()}` };
    }
    const wrap = handle._handle?.constructor?.name;
    if (typeof handle.listen === 'function') {
      const type = wrap === 'TCP' ? 'TCPServerWrap' : 'PipeWrap';
      return { type, detail: `server at ${address(handle)}` };
    }
    if (wrap === 'TCP') {
      // Clients' ports are many and say nothing; the server's own port says which server it is.
      if (handle.server != null) {
        return { type: 'TCPSocketWrap', detail: `client of the server at port ${String(handle.localPort)}` };
      }
      const { remoteAddress, remotePort } = handle;
      const detail =
        remotePort === undefined ? 'connecting' : `connection to ${hostPort(remoteAddress, remotePort)}`;
      return { type: 'TCPSocketWrap', detail };
    }
    const detail = typeof handle.fd === 'number' ? `file descriptor ${handle.fd}` : '';
    if (wrap === 'Pipe') return { type: 'PipeWrap', detail };
    if (wrap === 'TTY') return { type: 'TTYWrap', detail };
    return undefined;
  } catch {
    // A getter of the application's that throws: the resource still counts by its type.
    return undefined;
  }
}

function address(handle: Handle): string {
  const at = handle.address?.();
  if (typeof at === 'string') return at;
  const { address: host, port } = (at ?? {}) as { address?: unknown; port?: unknown };
  return port === undefined ? 'no address' : hostPort(host, port);
}

function hostPort(host: unknown, port: unknown): string {
  const name = String(host ?? '');
  return name.includes(':') ? `[${name}]:${String(port)}` : `${name}:${String(port)}`;
}
