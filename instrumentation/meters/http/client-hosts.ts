import type { MetricRegistry } from '../../metrics/registry';
import { ClientHost, clientInstruments } from './client-host';

/** How long a host may be unused before the series of its present state end. */
const retireAfterMs = 10 * 60_000;

/** The hosts that the process calls. */
export interface ClientHosts {
  /** The host of an address without brackets; past the bound `_OTHER`. */
  find(address: string, port: number): ClientHost;
  /** The host of an origin such as `https://example.com:8443`, or of the URL of one. */
  ofOrigin(origin: string): ClientHost;
  all(): Iterable<ClientHost>;
  /** Lets go of hosts that were not used for ten minutes. */
  retire(now: number): void;
}

/**
 * Keeps at most a quarter of the cardinality limit as hosts of their own, so that each can have a few series of
 * methods and status codes; the rest share `_OTHER`.
 */
export function createClientHosts(registry: MetricRegistry): ClientHosts {
  const instruments = clientInstruments(registry);
  const limit = Math.max(1, Math.floor(registry.cardinalityLimit / 4));
  const hosts = new Map<string, ClientHost>();
  const byOrigin = new Map<string, ClientHost>();
  const other = new ClientHost('_OTHER', undefined, instruments);

  const find = (address: string, port: number): ClientHost => {
    const key = `${address} ${port}`;
    const known = hosts.get(key);
    if (known !== undefined) return known;
    if (hosts.size >= limit) return other;
    const made = new ClientHost(address, port, instruments);
    hosts.set(key, made);
    return made;
  };

  return {
    find,
    ofOrigin(origin) {
      const known = byOrigin.get(origin);
      if (known !== undefined) return known;
      const parsed = parseOrigin(origin);
      const host = parsed === undefined ? other : find(parsed.address, parsed.port);
      // Only what is bounded already: an origin of `_OTHER` may get a place of its own later.
      if (host !== other && byOrigin.size < 2 * limit) byOrigin.set(origin, host);
      return host;
    },
    *all() {
      yield* hosts.values();
      if (other.usedAt > 0 || hosts.size >= limit) yield other;
    },
    retire(now) {
      let retired = false;
      for (const [key, host] of hosts) {
        if (!host.idle || now - host.usedAt < retireAfterMs) continue;
        host.retire();
        hosts.delete(key);
        retired = true;
      }
      if (retired) byOrigin.clear();
    },
  };
}

/** Address (an IPv6 one without brackets) and port of an origin, the port of its scheme filled in. */
export function parseOrigin(origin: string): { address: string; port: number } | undefined {
  try {
    const { hostname, port, protocol } = new URL(origin);
    return {
      address: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
      port: port === '' ? (protocol === 'https:' || protocol === 'wss:' ? 443 : 80) : Number(port),
    };
  } catch {
    return undefined;
  }
}
