import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { isEmpty } from '../../grafana/preview/model';
import { profilePanel } from '../../grafana/preview/profiles';
import { lastMinutes, Source, valuesOf } from '../../grafana/preview/prometheus';
import { panelsOf, readBoards } from '../helpers/boards';
import type { Ingested } from '../helpers/ingest-server';

const range = { from: 0, to: 60_000, stepMs: 20_000 };

test('variables stand for all but what was chosen, and a rate has four scrapes at least', () => {
  const values = valuesOf(range, { job: 'shop' });
  assert.equal(values['job'], 'shop');
  assert.equal(values['instance'], '.+');
  assert.equal(values['__rate_interval'], '25s');
  assert.equal(valuesOf({ ...range, stepMs: 5000 }, {})['__rate_interval'], '20s');
  const { from, to, stepMs } = lastMinutes(180);
  assert.equal(to - from, 180 * 60_000);
  assert.equal(stepMs, 60_000);
});

test('a line has a point for each step, and null where there is no value; an error is in Prometheus’s words', async () => {
  const asked: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const query = new URLSearchParams(body);
    asked.push(query);
    const data = {
      resultType: 'matrix',
      result: [
        {
          metric: { x: 'a' },
          values: [
            [0, '1'],
            [40, 'NaN'],
            [60, '3'],
          ],
        },
      ],
    };
    response.end(JSON.stringify(query.get('query') === 'bad' ? { error: 'no PromQL' } : { data }));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = new Source(url, range, valuesOf(range, { job: 'shop' }));
  const [panel] = panelsOf(readBoards()[0]!);
  const lines = await source.lines({
    ...panel!,
    targets: [{ refId: 'A', expr: 'y{job=~"$job"}', legendFormat: 'is {{x}}' }],
  });
  assert.deepEqual(lines, [
    { refId: 'A', name: 'is a', times: [0, 20_000, 40_000, 60_000], values: [1, null, null, 3] },
  ]);
  assert.equal(asked[0]!.get('query'), 'y{job=~"shop"}');
  assert.equal(asked[0]!.get('step'), '20');
  await assert.rejects(
    source.lines({ ...panel!, targets: [{ refId: 'A', expr: 'bad' }] }),
    /no PromQL in bad/,
  );
  server.closeAllConnections();
  server.close();
  assert.equal(isEmpty({ panel: panel! as never, lines }), false);
  assert.equal(isEmpty({ panel: panel! as never, lines: [{ ...lines[0]!, values: [null] }] }), true);
});

test('stacks of several profiles become one flame graph, and their sums a line', () => {
  const frame = (name: string) => ({ name, file: 'x.js', line: 1 });
  const profile = (until: number, value: number): Ingested => ({
    kind: 'wall',
    query: { from: `${until - 10}`, until: `${until}` },
    headers: {},
    application: 'shop',
    labels: {},
    types: ['samples/count', 'cpu/nanoseconds'],
    samples: [
      { values: [1, value], frames: [frame('leaf'), frame('main')], labels: {} },
      { values: [1, 5], frames: [frame('main')], labels: {} },
    ],
    top: () => [],
  });
  const board = readBoards().find(({ title }) => title === 'Profiles')!;
  const ofCpu = panelsOf(board).filter(({ targets = [] }) =>
    targets.some(({ profileTypeId }) => profileTypeId?.startsWith('wall:cpu')),
  );
  const [graph, flames] = ofCpu.map(panel => profilePanel(panel, [profile(10, 20), profile(20, 30)]));
  assert.deepEqual(graph!.lines[0]!.values, [2.5, 3.5]);
  assert.deepEqual(flames!.flame, {
    unit: 'ns',
    labels: ['total', 'main', 'leaf'],
    levels: [0, 1, 2],
    values: [60, 60, 50],
    selfs: [0, 10, 50],
  });
});
