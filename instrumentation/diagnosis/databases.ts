import type { RecommendationCode } from '../../toolkit/database';
import { type DatabaseStats, databaseSource } from '../../toolkit/database/stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { FindingCode } from './codes';
import type { Findings } from './findings';

/** What a manager recommends that something is wrong for; the rest is advice for who asks. */
const codes: Readonly<Partial<Record<RecommendationCode, FindingCode>>> = {
  pool_too_small: 'db_pool_too_small',
  connection_leak: 'db_connection_leak',
  n_plus_one: 'db_n_plus_one',
  slow_query: 'db_slow_query',
  error_rate: 'db_error_rate',
};

/** Finds what is wrong with the toolkit's databases: what their managers recommend something for. */
export function watchDatabases(findings: Findings, log: Log): { look(): void } {
  const look = guarded(log, 'looking at a database', (source: Source<DatabaseStats>): void => {
    const { name } = source;
    const said = new Set<string>();
    for (const { code, subject, evidence, advice } of source.stats().recommendations) {
      const finding = codes[code];
      if (finding === undefined) continue;
      // A route has a finding of its own; of slow queries and leaks the first speaks for all.
      const about = code === 'n_plus_one' ? `${name}, ${subject}` : name;
      if (said.has(`${finding} ${about}`)) continue;
      said.add(`${finding} ${about}`);
      findings.report(
        finding,
        about,
        code === 'slow_query' ? { query: subject, ...evidence } : evidence,
        advice,
      );
    }
  });
  return {
    look() {
      for (const source of liveSources<DatabaseStats>(databaseSource.kind, databaseSource.layout))
        look(source);
    },
  };
}
