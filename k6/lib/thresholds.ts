import type { Options } from 'k6/options';

type Thresholds = NonNullable<Options['thresholds']>;

/** What is promised of a scenario. Times are in milliseconds. */
export interface Promised {
  /** 95 of 100 requests are answered within it. @default 500 */
  readonly p95?: number;
  /** 99 of 100 requests are answered within it. @default 1000 */
  readonly p99?: number;
  /** Share of requests that may fail. @default 0.01 */
  readonly failed?: number;
}

/**
 * Thresholds of one scenario: times, failures, and that every iteration was begun; were they dropped, the rate was not
 * the one that the results are said to be for.
 */
export function scenarioThresholds(
  scenario: string,
  { p95 = 500, p99 = 1000, failed = 0.01 }: Promised = {},
): Thresholds {
  return {
    [`http_req_duration{scenario:${scenario}}`]: [`p(95)<${p95}`, `p(99)<${p99}`],
    [`http_req_failed{scenario:${scenario}}`]: [`rate<${failed}`],
    [`checks{scenario:${scenario}}`]: [`rate>=${1 - failed}`],
    [`dropped_iterations{scenario:${scenario}}`]: ['count<1'],
  };
}

/** 95 of 100 requests of a route are answered within so many milliseconds. */
const routes: Readonly<Record<string, number>> = {
  '/products': 400,
  '/products/search': 500,
  '/products/:id': 250,
  '/products/:id/recommendations': 800,
  '/categories': 250,
  '/sessions': 250,
  '/sessions/:id': 250,
  '/carts': 250,
  '/carts/:id': 250,
  '/carts/:id/items/:productId': 300,
  '/carts/:id/checkout': 800,
  '/orders/:id': 300,
};

/** Thresholds of each route; they also make the summary show the routes one by one. */
export function routeThresholds(): Thresholds {
  return Object.fromEntries(
    Object.entries(routes).map(([route, p95]) => [`http_req_duration{name:${route}}`, [`p(95)<${p95}`]]),
  );
}

/**
 * Ends the run once the shop is beyond its limits: the rate reached by then is the result. The first seconds do not
 * count, with their cold caches.
 */
export function limits(scenario: string): Thresholds {
  const abort = { abortOnFail: true, delayAbortEval: '10s' };
  return {
    [`http_req_duration{scenario:${scenario}}`]: [{ threshold: 'p(95)<2000', ...abort }],
    [`http_req_failed{scenario:${scenario}}`]: [{ threshold: 'rate<0.05', ...abort }],
  };
}
