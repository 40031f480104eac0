import { httpClientMetrics, httpServerMetrics } from '../../../instrumentation/catalogue';
import { label, rate, series, sum } from '../promql';

const server = httpServerMetrics;
const client = httpClientMetrics;

export const route = label(server.duration, 'http.route');
export const method = label(server.duration, 'http.request.method');
export const status = label(server.duration, 'http.response.status_code');

/** Answers of 5xx and requests that failed without one; answers of 4xx are the caller's errors. */
const failed = { 'error.type': '!=""' } as const;

/** Requests a second that were answered. */
export const requests = (by: readonly string[] = []): string =>
  sum(rate(series(server.duration, {}, '_count')), by);

/** Of the requests, the share that failed; 0 where none did. */
export const errorShare = (by: readonly string[] = []): string =>
  `(${sum(rate(series(server.duration, failed, '_count')), by)}
  or 0 * ${requests(by)})
  / (${requests(by)} > 0)`;

export const calls = (by: readonly string[] = []): string =>
  sum(rate(series(client.duration, {}, '_count')), by);

/** Of the calls that the application made, the share that failed. */
export const callErrorShare = (by: readonly string[] = []): string =>
  `(${sum(rate(series(client.duration, failed, '_count')), by)}
  or 0 * ${calls(by)})
  / (${calls(by)} > 0)`;
