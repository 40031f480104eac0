import { randomUUID } from 'node:crypto';
import type { TieredCache } from 'otel-vitals/toolkit/cache';
import { notFound } from './errors';

/** A customer who looks around. */
export interface Session {
  readonly id: string;
  readonly email?: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** Sessions, in the cache alone: they end with their time, or earlier where the cache is short of room. */
export interface Sessions {
  create(email?: string): Promise<Session>;
  /** @throws {@link ShopError} 404 */
  find(id: string): Promise<Session>;
  end(id: string): Promise<void>;
}

/** Sessions that last so many milliseconds. */
export function createSessions(cache: TieredCache<Session>, lastMs: number): Sessions {
  return {
    async create(email) {
      const now = Date.now();
      const session: Session = {
        id: randomUUID(),
        ...(email !== undefined && { email }),
        createdAt: new Date(now).toISOString(),
        expiresAt: new Date(now + lastMs).toISOString(),
      };
      await cache.set(session.id, session, { ttlMs: lastMs });
      return session;
    },
    async find(id) {
      const session = await cache.get(id);
      // Read from Redis shortly before its end, it would stay in memory for longer.
      if (session === undefined || Date.parse(session.expiresAt) <= Date.now()) throw notFound('session', id);
      return session;
    },
    end: id => cache.delete(id),
  };
}
