import { type HttpClientStats, httpClientSource } from '../../toolkit/network/client/stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { Findings } from './findings';

/** Finds origins whose retry budget is used up, and origins that more is asked of than their connections carry. */
export function watchHttpClients(findings: Findings, log: Log): { look(): void } {
  // By origin and not by source, whose origins come and go.
  const refusedAt = new WeakMap<Source, Map<string, number>>();

  const look = guarded(log, 'looking at an HTTP client', (source: Source<HttpClientStats>): void => {
    const { origins } = source.stats();
    const before = refusedAt.get(source);
    refusedAt.set(source, new Map(origins.map(({ origin, retriesRefused }) => [origin, retriesRefused])));
    for (const { origin, retriesRefused, retryTokens, pending, open, inUse, limit } of origins) {
      const subject = `${source.name}, ${origin}`;
      const refused = retriesRefused - (before?.get(origin) ?? retriesRefused);
      if (refused > 0) {
        findings.report('http_retry_budget', subject, {
          refused,
          retry_tokens: Math.round(retryTokens * 100) / 100,
        });
      }
      // As many wait as there are connections: each will be waited for once more at least.
      if (inUse >= limit && pending >= limit) {
        findings.report('http_queue_saturated', subject, { pending, in_use: inUse, open, limit });
      }
    }
  });

  return {
    look() {
      for (const source of liveSources<HttpClientStats>(httpClientSource.kind, httpClientSource.layout)) {
        look(source);
      }
    },
  };
}
