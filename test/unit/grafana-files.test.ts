import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { grafanaFiles } from '../../grafana/src';
import { stableJson } from '../../grafana/src/json';
import type { RuleFile } from '../../grafana/src/rules/rule';
import { catalogueSeries, labelsOf, namesIn } from '../helpers/promql';

const root = join(__dirname, '..', '..');
const files = grafanaFiles();

test('the committed dashboards and rules are what the sources give', () => {
  for (const [path, content] of files) assert.equal(readFileSync(join(root, path), 'utf8'), content, path);
  for (const folder of ['grafana/dashboards', 'grafana/rules']) {
    for (const file of readdirSync(join(root, folder))) {
      assert.ok(files.has(`${folder}/${file}`), `${folder}/${file} comes from no source`);
    }
  }
});

test('generating twice gives the same bytes, with one newline at the end', () => {
  assert.deepEqual(grafanaFiles(), files);
  for (const [path, content] of files) assert.match(content, /[^\n]\n$/, path);
});

test('keys of generated JSON are sorted at every depth, and lists keep their order', () => {
  assert.equal(
    stableJson({ b: [{ d: 1, c: 2 }, 0], a: null }),
    '{\n  "a": null,\n  "b": [\n    {\n      "c": 2,\n      "d": 1\n    },\n    0\n  ]\n}\n',
  );
});

const rules = [...files]
  .filter(([path]) => path.startsWith('grafana/rules/'))
  .flatMap(([, content]) => (parse(content) as RuleFile).groups.flatMap(group => group.rules));
const alerts = rules.filter(rule => 'alert' in rule);
const records = rules.filter(rule => 'record' in rule);

test('every rule reads only what the catalogue gives, or what another rule records', () => {
  for (const rule of rules) {
    const name = 'alert' in rule ? rule.alert : rule.record;
    const { metrics, labels } = namesIn(rule.expr);
    const known = new Set(['job', 'instance']);
    for (const metric of metrics) {
      // `up` is Prometheus's own word on a scrape.
      if (metric === 'up' || records.some(({ record }) => record === metric)) continue;
      const found = catalogueSeries.get(metric);
      assert.ok(found, `${name}: ${metric} is not in the catalogue`);
      for (const label of labelsOf(found)) known.add(label);
    }
    for (const label of labels) assert.ok(known.has(label), `${name}: label ${label}`);
  }
});

test('every alert has a severity, says what is wrong with labels that it has, and leads to a page', () => {
  assert.ok(alerts.length >= 40);
  for (const { alert, expr, labels, annotations } of alerts) {
    assert.match(alert, /^Vitals[A-Z]/);
    assert.ok(['critical', 'warning', 'info'].includes(labels.severity));
    assert.ok(annotations.description.length > 40, alert);
    assert.ok(existsSync(join(root, annotations.runbook)), `${alert}: ${annotations.runbook}`);
    if (alert === 'VitalsWatchdog') continue;
    assert.match(annotations.summary, /\{\{ \$labels\.job \}\}/, alert);
    const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].map(([, names]) => names!.split(', '));
    for (const [, label] of `${annotations.summary} ${annotations.description}`.matchAll(
      /\$labels\.(\w+)/g,
    )) {
      for (const names of kept) assert.ok(names.includes(label!), `${alert}: ${label} is aggregated away`);
    }
  }
});

test('an alert of two levels has the same name twice, and else a name stands for one alert', () => {
  const levels = new Map<string, string[]>();
  for (const { alert, labels } of alerts) levels.set(alert, [...(levels.get(alert) ?? []), labels.severity]);
  for (const [name, severities] of levels) {
    if (severities.length === 1 || name.endsWith('Budget')) continue;
    assert.deepEqual(severities, ['warning', 'critical'], name);
  }
});
