import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { flagsInForce, maxSemiSpace, oldSpaceFlag } from '../../../instrumentation/meters/heap-limits';
import { repository } from '../../helpers/app';

const mib = 2 ** 20;

test('options are read in each of their forms, the last of them', () => {
  assert.equal(maxSemiSpace(['--max_semi_space_size=8', '--max-semi-space-size', '64']), 64 * mib);
  assert.equal(maxSemiSpace(['--max-semi-space-size=0', '--max-old-space-size=512'], 20), 16 * mib);
  assert.equal(oldSpaceFlag(['--max-old-space-size=512', '--max_old_space_size=256']), 256 * mib);
  assert.equal(oldSpaceFlag(['--max-semi-space-size=8']), undefined);
  assert.deepEqual(flagsInForce({ NODE_OPTIONS: ' --a  --b' }).slice(0, 3), ['', '--a', '--b']);
});

test('the default of a semi-space is the one that this Node.js has', () => {
  const script = 'process.stdout.write(String(require("node:v8").getHeapStatistics().heap_size_limit))';
  const limit = Number(execFileSync(process.execPath, ['--max-old-space-size=100', '-e', script]));
  assert.equal(maxSemiSpace([]), (limit - 100 * mib) / 3);
});

for (const [flags, expected] of [
  [['--max-old-space-size=128'], 128],
  [['--max-old-space-size=128', '--max-semi-space-size=64'], 128],
  [['--max-semi-space-size=1'], undefined],
  [['--max-heap-size=200'], 100],
] as const) {
  test(`the limit of the old generation under ${flags.join(' ')} is ${expected ?? 'all but three semi-spaces'}`, () => {
    const file = join(repository, 'instrumentation/meters/heap-limits.ts');
    const script = `import { getHeapStatistics } from 'node:v8';
      import * as limits from ${JSON.stringify(file)};
      const { oldGenerationLimit } = limits.default ?? limits;
      console.log(oldGenerationLimit(), getHeapStatistics().heap_size_limit)`;
    const out = execFileSync(
      process.execPath,
      [...flags, '--import', 'tsx', '--input-type=module', '-e', script],
      { cwd: repository, encoding: 'utf8' },
    );
    const [found, all] = out.trim().split(' ').map(Number);
    if (expected === undefined) assert.equal(found, all! - 3 * mib);
    else if (flags[0] === '--max-heap-size=200') assert.ok(found! >= expected * mib && found! < all!);
    else assert.equal(found, expected * mib);
  });
}
