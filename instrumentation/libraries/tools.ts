import type { Operations } from '../meters/db-operations';
import type { Pools } from '../meters/db-pool';

/** What the hooks of databases report to; a meter that is switched off is `undefined`. */
export interface DatabaseMeters {
  readonly operations: Operations | undefined;
  readonly pools: Pools | undefined;
}

/** Says to the driver's hook that a query is being measured above it, by the library that runs it. */
export const measuredAbove = { active: false };

/** Where a database is, as settings and connections of the libraries have it. */
export interface Place {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly database?: unknown;
}

/** `host:port/database`, as the semantic conventions name a pool that has no name. */
export function placeName({ host, port, database }: Place): string {
  const where = typeof host === 'string' && host !== '' ? host : 'localhost';
  return `${where}${text(port, ':')}${text(database, '/')}`.slice(0, 200);
}

function text(value: unknown, before: string): string {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? `${before}${value}` : '';
}

/** Host, port and database of a connection URL, and nothing else of it. */
export function placeOfUrl(url: unknown): Place {
  if (typeof url !== 'string') return {};
  try {
    const { hostname, port, pathname } = new URL(url);
    return { host: hostname, port, database: decodeURIComponent(pathname.slice(1)) };
  } catch {
    return {};
  }
}

/** Settings with what their connection URL says, and defaults for what neither says. */
export function placeOf(settings: unknown, ...fallbacks: unknown[]): Place {
  const place: Record<string, unknown> = {};
  for (const source of [settings, ...fallbacks]) {
    if (source === null || typeof source !== 'object') continue;
    const { connectionString, server, ...direct } = source as Record<string, unknown>;
    const url = placeOfUrl(connectionString);
    for (const key of ['host', 'port', 'database'] as const) {
      place[key] ??= url[key] || direct[key] || (key === 'host' ? server : undefined) || undefined;
    }
  }
  return place;
}
