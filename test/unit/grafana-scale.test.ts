import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleFiles } from '../../grafana/src/rules';
import { scaled } from '../../grafana/src/rules/scale';

const rule = {
  alert: 'VitalsX',
  expr: 'sum(rate(a_total[5m])) / sum(rate(a_total[30s])) > 0.5 and b{c="[5m]"} > 300',
  for: '10m',
  labels: { severity: 'warning' },
  annotations: { summary: 's', description: 'd', runbook: 'r' },
} as const;
const file = { groups: [{ name: 'g', rules: [rule, { record: 'r:rate1h', expr: 'rate(a_total[1h])' }] }] };

test('windows and durations are shortened by the factor; names, thresholds and texts stay', () => {
  const [alert, record] = scaled(file, { factor: 60, leastWindowSeconds: 3 }).groups[0]!.rules;
  assert.deepEqual(record, { record: 'r:rate1h', expr: 'rate(a_total[60000ms])' });
  assert.ok(alert !== undefined && 'alert' in alert);
  assert.equal(alert.for, '10000ms');
  assert.match(alert.expr, /a_total\[5000ms\].*a_total\[3000ms\].*> 300$/);
  assert.equal(alert.annotations, rule.annotations);
});

test('a factor that is not above 0 is refused, and so is a duration that is none', () => {
  assert.throws(() => scaled(file, { factor: 0, leastWindowSeconds: 1 }), /Expected a factor above 0, got 0/);
  const odd = { groups: [{ name: 'g', rules: [{ ...rule, for: '5 minutes' }] }] };
  assert.throws(
    () => scaled(odd, { factor: 2, leastWindowSeconds: 1 }),
    /Expected a duration such as 5m, got "5 minutes"/,
  );
});

test('all rules can be scaled, and none keeps a window of minutes', () => {
  const rules = Object.values(ruleFiles({ factor: 60, leastWindowSeconds: 5 })).flatMap(({ groups }) =>
    groups.flatMap(group => group.rules),
  );
  assert.ok(rules.length > 40);
  for (const { expr } of rules) {
    for (const [, window] of expr.matchAll(/\[([^\]]+)\]/g)) assert.match(window!, /^\d+ms$/, expr);
  }
});
