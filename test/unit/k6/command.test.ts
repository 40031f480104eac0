import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../helpers/app';
import { scenarioNames } from '../../helpers/k6';

/** `npm run k6 -- ...` with a PATH of its own. */
function command(args: readonly string[], path: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(repository, 'scripts', 'k6.mjs'), ...args],
    { encoding: 'utf8', env: { PATH: path } },
  );
  return { status, stdout, stderr };
}

test('a scenario that there is not is refused with the names of those that there are', () => {
  for (const [args, got] of [
    [['smok'], '"smok"'],
    [[], 'none'],
    [['../scenarios/smoke'], '"../scenarios/smoke"'],
  ] as const) {
    const { status, stderr } = command(args, '');
    assert.equal(status, 2);
    assert.ok(stderr.includes(`expected the name of a scenario, got ${got}`), stderr);
    for (const name of scenarioNames) assert.ok(stderr.includes(name), name);
  }
});

test('without k6 it says how to get it, and the command of compose for this scenario', () => {
  const { status, stderr } = command(['stress'], '/nowhere');
  assert.equal(status, 1);
  assert.match(stderr, /no k6 on the PATH/);
  assert.match(stderr, /install-k6/);
  assert.match(stderr, /docker compose run --rm k6 run \/k6\/scenarios\/stress\.ts/);
});

test('k6 is given the options, the file and a folder for its summary, and its exit code is passed on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitals-k6-'));
  try {
    const program = join(folder, 'k6');
    writeFileSync(program, '#!/bin/sh\necho "$@"\necho "$SUMMARY_DIR $K6_NO_USAGE_REPORT"\nexit 99\n');
    chmodSync(program, 0o755);
    const { status, stdout } = command(['smoke', '-e', 'RATE=5'], folder);
    assert.equal(status, 99);
    assert.deepEqual(stdout.trim().split('\n'), [
      `run -e RATE=5 ${join(repository, 'k6', 'scenarios', 'smoke.ts')}`,
      `${join(repository, 'k6-results')} true`,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
