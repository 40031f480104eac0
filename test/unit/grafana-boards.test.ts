import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { k6Series } from '../../grafana/src/k6/names';
import { profileTypes } from '../../grafana/src/profile-panels';
import { recorded } from '../../grafana/src/rules/http';
import { catalogue } from '../../instrumentation/catalogue';
import { fillIn, type PanelJson, panelsOf, queriesOf, queryText, readBoards } from '../helpers/boards';
import { catalogueSeries, labelsOf, namesIn } from '../helpers/promql';

const boards = readBoards();
const knownUnits = new Set<string>(Object.values(units).filter(unit => typeof unit === 'string'));
/** What the resource gives, and a scrape adds, of the labels of `target_info`. */
const resourceLabels = ['job', 'instance', 'service_name', 'service_version'];
/** What is not of the catalogue: the resource, Prometheus's own series of alerts, and what k6 writes. */
const otherSeries = new Map<string, readonly string[]>([
  ['target_info', resourceLabels],
  ['ALERTS', ['job', 'instance', 'alertname', 'alertstate', 'severity']],
  ...Object.entries(k6Series),
  ...(['errors', 'slow'] as const).flatMap(kind =>
    (['5m', '1h', '6h', '3d'] as const).map(
      window => [recorded(kind, window), ['job']] as [string, string[]],
    ),
  ),
]);
/** By board: what there is to choose beside what all have. */
const moreVariables: Readonly<Record<string, readonly string[]>> = {
  Profiles: ['pyroscope'],
  k6: ['scenario'],
};
const builtIn = { __rate_interval: '1m', __range: '1h', __interval: '15s' };

test('the tokenizer tells metrics, labels and functions apart', () => {
  const { metrics, labels, functions } = namesIn(
    'histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{x=~"b|c{d}", y!=""}[5m:1m] offset 1h))) / on (z) group_left () (e:f > bool 1.5e3 and absent(g))',
  );
  assert.deepEqual([...metrics], ['a_bucket', 'e:f', 'g']);
  assert.deepEqual([...labels], ['le', 'job', 'x', 'y', 'z']);
  assert.deepEqual([...functions], ['histogram_quantile', 'sum', 'rate', 'absent']);
});

test('there is a Runtime board under its readable uid, and no uid is used twice', () => {
  const uids = boards.map(({ uid }) => uid);
  assert.ok(uids.includes('otel-vitals-runtime'));
  assert.equal(new Set(uids).size, uids.length);
  for (const uid of uids) assert.match(uid, /^otel-vitals-[a-z0-9-]{1,28}$/);
});

/** Metrics that are on no board, and why. */
const onNoBoard: readonly [name: RegExp, reason: string][] = [
  [/^vitals\.self\./, 'the agent looks after itself: for alerts, and for whoever doubts its figures'],
  [/^otel\.sdk\.exporter\./, 'the same, of what it exports over OTLP'],
  [/^process\.memory\.virtual$/, 'address space says little of memory in use'],
  [/^vitals\.heap\.limit$/, 'the limit of the old generation is the one that a process runs into'],
  [/^v8js\.memory\.heap\.space\.available_size$/, 'the size of a space and its use are there'],
  [/^nodejs\.eventloop\.delay\.(min|mean|stddev)$/, 'percentiles say more of a delay'],
  [/^vitals\.leak\.(suspected|confidence)$/, 'the growth is there while it is sure, and the finding'],
  [/^vitals\.gc\.tuner\.adjustments$/, 'each is a line in the log, and shows in the pauses'],
];

test('every metric of the catalogue is on a board, or on a list with the reason why not', () => {
  const shown = new Set(
    boards
      .flatMap(queriesOf)
      .flatMap(({ expr }) => [...namesIn(expr).metrics].map(name => catalogueSeries.get(name))),
  );
  const missing = catalogue.filter(
    metric => !shown.has(metric) && !onNoBoard.some(([name]) => name.test(metric.name)),
  );
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
  for (const [name, reason] of onNoBoard)
    assert.ok(
      catalogue.some(metric => name.test(metric.name)),
      reason,
    );
});

for (const board of boards) {
  const panels = panelsOf(board);
  const targets = panels.flatMap(panel =>
    (panel.targets ?? []).flatMap(({ expr, ...target }) =>
      expr === undefined ? [] : [{ panel, ...target, expr }],
    ),
  );
  const profiles = panels.flatMap(panel =>
    (panel.targets ?? []).flatMap(target =>
      target.profileTypeId === undefined ? [] : [{ panel, ...target }],
    ),
  );

  test(`${board.title}: the file belongs to no one installation of Grafana`, () => {
    assert.equal(board.id, undefined);
    assert.equal(board.editable, false);
    // Version 42 is what Grafana 12 and 13 write; older files are migrated each time they are opened.
    assert.equal(board.schemaVersion, 42);
    assert.ok(board.description.length > 40);
  });

  test(`${board.title}: every panel is of a known type and says what it shows, in which unit, and what is normal`, () => {
    for (const panel of panels) {
      assert.ok(
        ['timeseries', 'stat', 'flamegraph'].includes(panel.type),
        `${panel.title}: type ${panel.type}`,
      );
      assert.ok(panel.title.length > 0);
      assert.match(panel.description ?? '', / Normal: /, `${panel.title}: description`);
      // Pyroscope gives the unit with the data.
      const { unit } = panel.fieldConfig?.defaults ?? {};
      if (ofPyroscope(panel)) assert.equal(unit, undefined, panel.title);
      else assert.ok(knownUnits.has(unit ?? ''), `${panel.title}: unit`);
      assert.ok((panel.targets ?? []).length > 0, `${panel.title}: queries`);
      for (const { properties } of panel.fieldConfig?.overrides ?? []) {
        for (const { id, value } of properties) if (id === 'unit') assert.ok(knownUnits.has(value as string));
      }
    }
  });

  test(`${board.title}: everything asks the data source that the reader chose`, () => {
    for (const panel of panels) {
      const chosen = ofPyroscope(panel)
        ? { type: 'grafana-pyroscope-datasource', uid: '$pyroscope' }
        : { type: 'prometheus', uid: '$datasource' };
      assert.deepEqual(panel.datasource, chosen, panel.title);
      for (const { datasource } of panel.targets ?? []) assert.deepEqual(datasource, chosen, panel.title);
    }
    for (const { datasource } of board.annotations.list) assert.equal(datasource.uid, '$datasource');
  });

  test(`${board.title}: ids are unique, and panels neither overlap nor leave the grid`, () => {
    const all = board.panels.flatMap(panel => [panel, ...(panel.panels ?? [])]);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos, type } of board.panels) {
      const { x, y, w, h } = gridPos;
      assert.ok(x >= 0 && w > 0 && x + w <= 24 && h > 0, `${title}: outside of the grid`);
      if (type === 'row') assert.deepEqual([x, w, h], [0, 24, 1], `${title}: a row is a whole line`);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          const cell = `${column},${line}`;
          assert.equal(taken.get(cell), undefined, `${title} and ${taken.get(cell)} overlap`);
          taken.set(cell, title);
        }
      }
    }
    // Grafana would move panels up into a gap, and the board would no longer be as written.
    const lines = new Set([...taken.keys()].map(cell => Number(cell.split(',')[1])));
    assert.equal(lines.size, Math.max(...lines) + 1);
    assert.equal(taken.size, lines.size * 24);
  });

  test(`${board.title}: queries of a panel have their own letters, and overrides name one that exists`, () => {
    for (const panel of panels) {
      const ids = (panel.targets ?? []).map(({ refId }) => refId);
      assert.equal(new Set(ids).size, ids.length);
      for (const { matcher } of panel.fieldConfig?.overrides ?? []) {
        assert.equal(matcher.id, 'byFrameRefID');
        assert.ok(ids.includes(matcher.options), `${panel.title}: override of ${matcher.options}`);
      }
    }
  });

  test(`${board.title}: thresholds rise from a base without a value`, () => {
    for (const panel of panels) {
      const values = panel.fieldConfig?.defaults.thresholds?.steps.map(({ value }) => value) ?? [null];
      const [base, ...rest] = values;
      assert.equal(base, null);
      assert.deepEqual(
        rest,
        rest.toSorted((a, b) => a! - b!),
      );
    }
  });

  test(`${board.title}: limits are dashed lines, and nothing else is`, () => {
    for (const panel of panels) {
      const dashed = new Set(
        (panel.fieldConfig?.overrides ?? [])
          .filter(({ properties }) => properties.some(({ id }) => id === 'custom.lineStyle'))
          .map(({ matcher }) => matcher.options),
      );
      for (const { refId, legendFormat } of panel.targets ?? []) {
        assert.equal(
          dashed.has(refId),
          panel.type === 'timeseries' && /limit$/.test(legendFormat ?? ''),
          `${panel.title} ${refId}`,
        );
      }
    }
  });

  test(`${board.title}: every expression names only metrics and labels of the catalogue`, () => {
    for (const { where, expr } of queriesOf(board)) {
      const { metrics, labels } = namesIn(expr);
      assert.ok(metrics.size > 0, where);
      const known = new Set<string>();
      for (const name of metrics) {
        const others = otherSeries.get(name);
        for (const label of others ?? []) known.add(label);
        if (others !== undefined) continue;
        const metric = catalogueSeries.get(name);
        assert.ok(metric, `${where}: ${name} is not in the catalogue`);
        for (const label of labelsOf(metric)) known.add(label);
      }
      for (const label of labels) assert.ok(known.has(label), `${where}: label ${label}`);
    }
  });

  test(`${board.title}: legends show only labels that the expression keeps`, () => {
    for (const { panel, expr, legendFormat } of targets) {
      const { labels } = namesIn(expr);
      for (const [, label] of (legendFormat ?? '').matchAll(/\{\{(\w+)\}\}/g)) {
        assert.ok(labels.has(label!), `${panel.title}: ${label} is aggregated away`);
      }
    }
  });

  test(`${board.title}: every variable is used, and every variable used is there`, () => {
    const variables = board.templating.list.map(({ name }) => name);
    assert.deepEqual(variables, [
      'datasource',
      'job',
      'service',
      'instance',
      ...(moreVariables[board.title] ?? []),
    ]);
    const known = { ...builtIn, ...Object.fromEntries(variables.map(name => [name, 'x'])) };
    const text = JSON.stringify(board);
    for (const name of variables) assert.match(text, new RegExp(`\\$${name}\\b`));
    for (const { expr } of queriesOf(board)) fillIn(expr, known);
    for (const { panel, expr } of targets) {
      // What k6 writes is of no job; virtual users are of no scenario.
      if (/\bk6_vus/.test(expr) && !expr.includes('{')) continue;
      const chosen = /\bk6_/.test(expr)
        ? ['scenario=~"$scenario"']
        : ['job=~"$job"', 'instance=~"$instance"'];
      // Budgets are those of a whole job.
      const recordedAlone = /^max\(job:vitals_http/.test(expr);
      for (const matcher of chosen.slice(0, recordedAlone ? 1 : undefined))
        assert.ok(expr.includes(matcher) || expr.includes(matcher.replace(/"$/, '|"')), panel.title);
    }
  });

  test(`${board.title}: variables take several values or all, and match nothing but what was chosen`, () => {
    for (const variable of board.templating.list.filter(({ type }) => type === 'query')) {
      assert.equal(variable.multi, true);
      assert.equal(variable.includeAll, true);
      // A run of k6 without scenarios has no such label.
      assert.equal(variable.allValue, variable.name === 'scenario' ? '.*' : '.+');
      assert.equal(variable.refresh, 2);
      assert.match(queryText(variable), /^label_values\(/);
    }
    // A plain `=` would compare with the alternatives' text, and a format of one's own would undo Grafana's escaping.
    for (const { where, expr } of queriesOf(board)) {
      for (const [, operator] of expr.matchAll(/(=~|=|!=|!~)"\$/g)) assert.equal(operator, '=~', where);
      assert.doesNotMatch(expr, /\$\{\w+:/, where);
    }
  });

  test(`${board.title}: percentiles of several processes are put together by max, never by an average or a sum`, () => {
    for (const { where, expr } of queriesOf(board)) {
      const { metrics, functions } = namesIn(expr);
      if (![...metrics].some(name => /_delay_(p\d+|max)_/.test(name))) continue;
      assert.ok(functions.has('max'), where);
      for (const name of functions) assert.ok(['max', 'max_over_time'].includes(name), `${where}: ${name}`);
    }
  });

  test(`${board.title}: counters are read as rates over the window that Grafana fits to the scrape interval`, () => {
    for (const { where, expr } of queriesOf(board)) {
      if (where.startsWith('variable')) continue;
      for (const name of namesIn(expr).metrics) {
        if (!/_(total|count|sum|bucket)$/.test(name) || catalogueSeries.get(name)?.instrument === 'gauge')
          continue;
        if (catalogueSeries.get(name)?.instrument === 'updowncounter') continue;
        assert.match(expr, new RegExp(`rate\\(${name}\\{[^}]*\\}\\[\\$__rate_interval\\]\\)`), where);
      }
    }
  });

  test(`${board.title}: profiles are of types that are pushed, of the services chosen, as graph or flame graph`, () => {
    for (const { panel, profileTypeId, labelSelector, queryType } of profiles) {
      assert.ok(
        Object.values(profileTypes).some(type => type === profileTypeId),
        panel.title,
      );
      // Without the format a choice of several would be written {a,b}, which is no regular expression.
      assert.equal(labelSelector, `{service_name=~"\${service:regex}"}`);
      assert.equal(queryType, panel.type === 'flamegraph' ? 'profile' : 'metrics');
    }
  });

  test(`${board.title}: marks starts, deployments, firing alerts and captures`, () => {
    assert.deepEqual(
      board.annotations.list.map(({ name, useValueForTime }) => [name, useValueForTime === true]),
      [
        ['Process starts', true],
        ['Deployments', true],
        ['Firing alerts', false],
        ['Automatic captures', true],
      ],
    );
  });
}

test('there is a flame graph and a graph of each type of profile that is pushed', () => {
  const shown = boards.flatMap(panelsOf).filter(ofPyroscope);
  for (const type of Object.values(profileTypes)) {
    const panels = shown.filter(({ targets = [] }) =>
      targets.some(({ profileTypeId }) => profileTypeId === type),
    );
    assert.deepEqual(panels.map(panel => panel.type).sort(), ['flamegraph', 'timeseries']);
  }
});

function ofPyroscope({ targets = [] }: PanelJson): boolean {
  return targets.some(({ profileTypeId }) => profileTypeId !== undefined);
}
