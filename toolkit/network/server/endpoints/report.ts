import type { EndpointStats } from './stats';

/** What is recommended. Codes are stable. */
export type EndpointRecommendationCode =
  | 'slow_endpoint'
  | 'slow_tail'
  | 'server_errors'
  | 'client_errors'
  | 'aborted_requests'
  | 'too_many_endpoints';

/** Something to do about an endpoint, with what it rests on. */
export interface EndpointRecommendation {
  readonly code: EndpointRecommendationCode;
  readonly endpoint: string;
  readonly advice: string;
  /** Numbers with the unit in their name. */
  readonly evidence: Readonly<Record<string, number>>;
}

/** What is known of all endpoints. */
export interface EndpointReport {
  readonly name: string;
  /** All together. */
  readonly requests: number;
  readonly errors: number;
  /** Those that took most of the time, most first. */
  readonly endpoints: readonly EndpointStats[];
  /** Those of which more than one of twenty requests is slow, slowest first. */
  readonly slow: readonly EndpointStats[];
  readonly recommendations: readonly EndpointRecommendation[];
}

/** The name of the endpoint that holds those past the limit. */
export const otherEndpoint = '_OTHER';

/** Fewer requests say nothing of a share. */
export const fewestRequests = 20;
/** Shares of the requests from which on something is wrong. */
export const slowShare = 0.05;
export const errorShare = 0.05;
const clientShare = 0.2;
const abortedShare = 0.05;
/** How many times the median the 99th percentile may be. */
const longTail = 10;

/** Whether more of its requests were slow than may be. Pure. */
export function isSlow({ count, slow }: EndpointStats): boolean {
  return count >= fewestRequests && slow > count * slowShare;
}

/** What to do about what an endpoint has done so far. Pure; empty where there is nothing. */
export function recommendationsOf(stats: EndpointStats): EndpointRecommendation[] {
  const { endpoint, count, errors, p50Ms, p95Ms, p99Ms, slow, slowMs } = stats;
  const found: EndpointRecommendation[] = [];
  const say = (
    code: EndpointRecommendationCode,
    advice: string,
    evidence: Readonly<Record<string, number>>,
  ): void => {
    found.push({ code, endpoint, advice, evidence: { requests: count, ...evidence } });
  };
  if (endpoint === otherEndpoint) {
    say(
      'too_many_endpoints',
      'Name routes by their pattern, or raise maxEndpoints if there are that many.',
      {},
    );
    return found;
  }
  if (count < fewestRequests) return found;
  if (isSlow(stats)) {
    say(
      'slow_endpoint',
      'See with marks of Server-Timing, or in a trace, where the time goes: queries, calls to others, or the event loop. ' +
        'What is the same for many callers belongs into a cache.',
      { slow, slow_ms: slowMs, p50_ms: p50Ms, p95_ms: p95Ms },
    );
  } else if (p99Ms > p50Ms * longTail && p99Ms >= slowMs / 2) {
    say(
      'slow_tail',
      'Most are quick and a few are not: look for a lock, a pool that is too small, collections of garbage, or a cache ' +
        'that is cold for some.',
      { p50_ms: p50Ms, p99_ms: p99Ms },
    );
  }
  const share = (part: number): number => part / count;
  if (share(errors.server_error) > errorShare) {
    say('server_errors', 'See in the log what fails, and whether what it depends on is well.', {
      errors: errors.server_error,
      share: share(errors.server_error),
    });
  }
  if (share(errors.client_error) > clientShare) {
    say('client_errors', 'See which status it is: callers that are out of date, broken links, or probing.', {
      errors: errors.client_error,
      share: share(errors.client_error),
    });
  }
  if (share(errors.aborted) > abortedShare) {
    say(
      'aborted_requests',
      'Callers give up before the answer: it is too slow for them, or they ask too often.',
      {
        aborted: errors.aborted,
        share: share(errors.aborted),
        p95_ms: p95Ms,
      },
    );
  }
  return found;
}

/** Pure. */
export function reportOf(name: string, all: readonly EndpointStats[]): EndpointReport {
  const endpoints = all.toSorted((a, b) => b.meanMs * b.count - a.meanMs * a.count);
  return {
    name,
    requests: all.reduce((sum, { count }) => sum + count, 0),
    errors: all.reduce((sum, { errors }) => sum + Object.values(errors).reduce((a, b) => a + b, 0), 0),
    endpoints,
    slow: endpoints.filter(isSlow).toSorted((a, b) => b.p95Ms - a.p95Ms),
    recommendations: endpoints.flatMap(recommendationsOf),
  };
}
