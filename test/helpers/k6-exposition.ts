import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { k6Series } from '../../grafana/src/k6/names';

/** Values of the tags that a run of k6 would give its series. */
const tags: Readonly<Record<string, string>> = {
  scenario: 'customers',
  name: '/products',
  method: 'GET',
  status: '200',
  expected_response: 'true',
  check: 'products are listed',
};

/**
 * A stand-in for k6's remote write: an endpoint to scrape with the series that k6 writes, by the names of
 * `grafana/src/k6`. Counters rise; the rest stands. Requests fail as well, so that there is something of each kind.
 */
export async function serveK6Series(): Promise<{ readonly host: string; close(): Promise<void> }> {
  const start = Date.now();
  const server = createServer((_, response) => response.end(exposition((Date.now() - start) / 1000 + 1)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
}

function exposition(seconds: number): string {
  const lines: string[] = [];
  for (const [name, labels] of Object.entries(k6Series)) {
    const value = name.endsWith('_total') ? seconds : name.endsWith('_rate') ? 1 : 0.1;
    lines.push(line(name, labels, tags, value));
    if (labels.some(label => label === 'expected_response')) {
      const failed = { ...tags, status: '503', expected_response: 'false' };
      lines.push(line(name, labels, failed, value / 100));
    }
  }
  return `${lines.join('\n')}\n`;
}

function line(name: string, labels: readonly string[], values: typeof tags, value: number): string {
  return `${name}{${labels.map(label => `${label}="${values[label]}"`).join(',')}} ${value}`;
}
