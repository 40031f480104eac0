import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findingCodes, findingDefinitions, runbookOf } from '../../../instrumentation/diagnosis/codes';
import { createFindings, type Finding } from '../../../instrumentation/diagnosis/findings';

function setUp() {
  let time = 1000;
  const opened: Finding[] = [];
  const resolved: Finding[] = [];
  const findings = createFindings(
    finding => opened.push(finding),
    finding => resolved.push(finding),
    () => time,
  );
  /** Looks so many times, with the thing there or not. */
  const look = (times: number, there: boolean, code: 'lock_convoy' | 'pool_leak' = 'lock_convoy'): void => {
    for (let i = 0; i < times; i++) {
      time += 10_000;
      if (there) findings.report(code, 'stock', { waiters: i });
      findings.look();
    }
  };
  return { findings, opened, resolved, look };
}

test('what is seen at three looks in a row is found, once, with what was seen last', () => {
  const { findings, opened, look } = setUp();
  look(2, true);
  assert.deepEqual(findings.current().open, []);
  look(1, true);
  look(5, true);
  assert.equal(opened.length, 1);
  assert.deepEqual(findings.current().open, [
    {
      code: 'lock_convoy',
      severity: 'warning',
      subject: 'stock',
      title: findingDefinitions.lock_convoy.title,
      evidence: { waiters: 4 },
      advice: findingDefinitions.lock_convoy.advice,
      runbook: 'docs/runbooks/lock-convoy.md',
      since: 11_000,
      lastSeen: 81_000,
    },
  ]);
});

test('what comes and goes between looks is not found', () => {
  const { opened, look } = setUp();
  for (let i = 0; i < 10; i++) {
    look(2, true);
    look(1, false);
  }
  assert.deepEqual(opened, []);
});

test('a finding does not flap: it is over when it was gone for three looks in a row, and may come again', () => {
  const { findings, opened, resolved, look } = setUp();
  look(3, true);
  for (let i = 0; i < 5; i++) {
    look(2, false);
    look(1, true);
  }
  assert.equal(opened.length, 1);
  assert.equal(findings.current().open.length, 1);
  look(3, false);
  assert.deepEqual(findings.current().open, []);
  assert.deepEqual(findings.current().resolved, resolved);
  assert.deepEqual(
    [resolved[0]!.since, resolved[0]!.lastSeen, resolved[0]!.resolved],
    [11_000, 181_000, 211_000],
  );
  look(3, true);
  assert.equal(opened.length, 2);
});

test('one event is enough for a leak, which stays for ten minutes after the last', () => {
  const { findings, opened, look } = setUp();
  findings.report('pool_leak', 'images', { held_ms: 31_000 });
  assert.equal(opened.length, 1);
  look(60, false);
  assert.equal(findings.current().open.length, 1, 'the first look saw it');
  look(1, false);
  assert.equal(findings.current().open.length, 0);
});

test('each subject has a finding, and a thousand of them cost the memory of two hundred', () => {
  const { findings, opened } = setUp();
  for (let i = 0; i < 1000; i++) findings.report('pool_leak', `pool ${i}`, {});
  assert.equal(opened.length, 200);
  assert.equal(findings.current().open[1]!.subject, 'pool 1');
});

test('a hundred that are over are kept, the newest', () => {
  const { findings, look } = setUp();
  for (let i = 0; i < 150; i++) {
    findings.report('pool_leak', `pool ${i}`, {});
    look(61, false);
  }
  const { resolved } = findings.current();
  assert.equal(resolved.length, 100);
  assert.equal(resolved[99]!.subject, 'pool 149');
});

const documented = new Set(
  [
    ...readFileSync(join(__dirname, '../../../docs/metrics.md'), 'utf8').matchAll(
      /^(?:### |- in Prometheus: `)([\w.]+)/gm,
    ),
  ].map(match => match[1]!),
);

for (const code of findingCodes) {
  test(`${code} has a runbook that says what it means, harms, and what to do`, () => {
    const text = readFileSync(join(__dirname, '../../..', runbookOf(code)), 'utf8');
    assert.match(text, new RegExp(`^# ${code}\n`));
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(match => match[1]);
    assert.deepEqual(headings, ['Meaning', 'Impact', 'Diagnosis', 'Mitigation']);
    for (const [, name] of text.matchAll(
      /`([a-z0-9]+(?:_[a-z0-9]+){2,}|vitals(?:\.[a-z_]+)+)(?:\{[^}]*\})?`/g,
    )) {
      assert.ok(documented.has(name!), `${name} is no metric`);
    }
  });
}
