import { Pool } from 'undici';
import { randomFrom } from '../database/catalogue';
import type { Browser } from './visits';
import { visits } from './visits';

/** A load under way. */
export interface Load {
  /** Requests answered, and those that failed or were answered with 500 and above. */
  readonly counts: { readonly answered: number; readonly failed: number };
  /** Starts no more visits, and waits for those under way; after `graceMs` they are broken off. */
  stop(graceMs?: number): Promise<void>;
}

const tickMs = 25;
/** A shop that stalls is not buried under waiting visits. */
const mostVisits = 64;

/** Sends about `rate` requests a second to the shop at `url`, as customers would: a mix of visits, hot products. */
export function startLoad(url: string, rate: number, seed = 7): Load {
  const pool = new Pool(url, { connections: 32, bodyTimeout: 10_000, headersTimeout: 10_000 });
  const random = randomFrom(seed);
  const counts = { answered: 0, failed: 0 };
  const underWay = new Set<Promise<void>>();
  const totalWeight = visits.reduce((sum, { weight }) => sum + weight, 0);
  let sent = 0;
  let stopping = false;

  const browser: Browser = {
    random,
    async request(method, path, { headers, body } = {}) {
      sent++;
      try {
        const answer = await pool.request({
          method,
          path,
          headers: {
            'accept-encoding': 'br, gzip',
            ...(body && { 'content-type': 'application/json' }),
            ...headers,
          },
          body: body ? JSON.stringify(body) : null,
        });
        const encoded = answer.headers['content-encoding'] !== undefined;
        const text = encoded ? '' : await answer.body.text();
        if (encoded) await answer.body.dump();
        if (answer.statusCode >= 500) counts.failed++;
        else counts.answered++;
        return { status: answer.statusCode, headers: answer.headers, json: () => JSON.parse(text) };
      } catch {
        if (!stopping) counts.failed++;
        return undefined;
      }
    },
  };

  const visit = (): void => {
    let left = random() * totalWeight;
    const kind =
      visits.find(({ weight }) => {
        left -= weight;
        return left < 0;
      }) ?? visits[0]!;
    const one: Promise<void> = kind.run(browser).finally(() => underWay.delete(one));
    underWay.add(one);
  };

  const start = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / 1000) * rate;
    // A stall is not made up for with a burst: the shop would be measured by our backlog.
    if (due - sent > rate) sent = due - rate;
    while (sent < due && underWay.size < mostVisits) visit();
  }, tickMs);

  return {
    counts,
    async stop(graceMs = 2000) {
      stopping = true;
      clearInterval(timer);
      const grace = new Promise(resolve => setTimeout(resolve, graceMs).unref());
      await Promise.race([Promise.allSettled(underWay), grace]);
      await pool.destroy();
    },
  };
}
