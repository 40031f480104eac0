import type { Attributes } from '@opentelemetry/api';
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { counter, gauge, histogram, resourceMetrics } from '../../test/helpers/metric-data';

/** OpenTelemetry's boundaries for durations of HTTP requests. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const linesOfHistogram = boundaries.length + 3;
/** Attribute sets of one metric: what the SDK allows of one by default. */
const setsOfMetric = 2000;

/**
 * The metrics of a busy service of so many series: 40 % counters, 20 % gauges, 40 % histograms, each of three
 * attributes, one of them a number.
 */
export function makeShopMetrics(series: number): { collect(): ResourceMetrics } {
  const spread = (share: number, lines: number): Attributes[][] => {
    const points = Math.round((series * share) / lines);
    const metrics = Math.ceil(points / setsOfMetric);
    return Array.from({ length: metrics }, (_, metric) =>
      Array.from({ length: Math.min(setsOfMetric, points - metric * setsOfMetric) }, (_, i) => attributes(i)),
    );
  };
  const counters = spread(0.4, 1);
  const gauges = spread(0.2, 1);
  const histograms = spread(0.4, linesOfHistogram);
  let scrapes = 0;
  return {
    collect() {
      const turn = ++scrapes;
      const metrics: MetricData[] = [
        ...counters.map((sets, m) =>
          counter(
            `shop.orders.${m}.items`,
            sets.map((own, i) => [turn * (1 + (i % 1000)), own] as const),
            { unit: '{item}', description: 'Items of orders' },
          ),
        ),
        ...gauges.map((sets, m) =>
          gauge(
            `shop.stock.${m}.size`,
            sets.map((own, i) => [i % 2 === 0 ? turn * 4096 * i : (turn * i) / 7, own] as const),
            { unit: 'By', description: 'Size of the stock' },
          ),
        ),
        ...histograms.map((sets, m) =>
          histogram(
            `shop.checkout.${m}.duration`,
            sets.map((own, i) => {
              const counts = boundaries.map((_, bucket) => turn * ((i + bucket) % 50));
              return {
                boundaries,
                counts: [...counts, turn % 3],
                sum: (turn * (i + 1)) / 13,
                attributes: own,
              };
            }),
            { unit: 's', description: 'Duration of a checkout' },
          ),
        ),
      ];
      return resourceMetrics({ shop: metrics });
    },
  };
}

const methods = ['GET', 'POST', 'PUT', 'DELETE'];
const statuses = [200, 201, 204, 400, 404, 409, 500, 503];

function attributes(i: number): Attributes {
  const route = Math.floor(i / (methods.length * statuses.length));
  return {
    'http.request.method': methods[i % methods.length]!,
    'http.response.status_code': statuses[Math.floor(i / methods.length) % statuses.length]!,
    'http.route': `/api/v1/customers/:customer/orders/:order/part-${route}`,
  };
}
