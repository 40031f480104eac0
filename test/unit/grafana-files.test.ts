import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
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

test('every alert has a severity, says what is wrong with its labels, and reads only what the catalogue gives', () => {
  for (const [path, content] of files) {
    if (!path.startsWith('grafana/rules/')) continue;
    for (const rule of (parse(content) as RuleFile).groups.flatMap(({ rules }) => rules)) {
      assert.match(rule.alert, /^Vitals[A-Z]/);
      assert.ok(['critical', 'warning', 'info'].includes(rule.labels.severity));
      assert.match(rule.annotations.summary, /\{\{ \$labels\.instance \}\}/);
      assert.ok(rule.annotations.description.length > 40);
      const { metrics, labels } = namesIn(rule.expr);
      const known = new Set(['job', 'instance']);
      for (const name of metrics) {
        // `up` is Prometheus's own word on a scrape.
        if (name === 'up') continue;
        const metric = catalogueSeries.get(name);
        assert.ok(metric, `${rule.alert}: ${name} is not in the catalogue`);
        for (const label of labelsOf(metric)) known.add(label);
      }
      for (const label of labels) assert.ok(known.has(label), `${rule.alert}: label ${label}`);
    }
  }
});
