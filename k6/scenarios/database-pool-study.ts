// How large should the pool of database connections be: searches that differ in words, page and size,
// so that the cache knows hardly any, at one, two, four and eight
// times the rate. Run it again for each DATABASE_POOL_MAX; the board Database shows who waited for a connection.
import { Rate } from 'k6/metrics';
import type { Scenario } from 'k6/options';
import { duration, rate } from '../lib/config.ts';
import { anyWord, readCatalogue } from '../lib/data.ts';
import { steady } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import { search } from '../lib/shop.ts';
import { summaryOf } from '../lib/summary.ts';
import { scenarioThresholds } from '../lib/thresholds.ts';

/** Searches that the shop refused because it was too busy. */
const refused = new Rate('searches_refused');

const seconds = duration(30);
const steps = [1, 2, 4, 8];
const nameOf = (times: number): string => `times-${times}`;

export const options = optionsOf(
  Object.fromEntries(
    steps.map((times, index): [string, Scenario] => [
      nameOf(times),
      steady({ exec: 'searcher', rate: times * rate, seconds, startSeconds: index * seconds }),
    ]),
  ),
  {
    ...scenarioThresholds(nameOf(1)),
    ...Object.fromEntries(
      steps.slice(1).map(times => [`http_req_duration{scenario:${nameOf(times)}}`, ['p(95)<5000']]),
    ),
    searches_refused: ['rate<0.2'],
    'searches_refused{scenario:times-1}': ['rate<0.01'],
  },
);

export const setup = readCatalogue;

export function searcher(): void {
  const answer = search(anyWord(), `&page=${upTo(20)}&pageSize=${upTo(100)}`, [200, 503]);
  refused.add(answer.status === 503);
}

const upTo = (most: number): number => 1 + Math.floor(Math.random() * most);

export const handleSummary = summaryOf('database-pool-study');
