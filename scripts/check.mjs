// What a person runs before committing: types, lint, generated files, import directions and unit tests.
import { spawnSync } from 'node:child_process';

const steps = [
  ['types', ['npx', '--no-install', 'tsc', '-p', '.']],
  ["the page's types", ['npx', '--no-install', 'tsc', '-p', 'instrumentation/admin/page']],
  ["the load scenarios' types", ['npx', '--no-install', 'tsc', '-p', 'k6']],
  ['lint', ['npx', '--no-install', 'biome', 'ci', '--error-on-warnings', '.']],
  ['generated files', ['npm', 'run', '-s', 'generate', '--', '--check']],
  ['unit tests', [process.execPath, '--import', 'tsx', 'scripts/test.mjs', 'unit']],
];

for (const [name, [command, ...args]] of steps) {
  console.log(`check: ${name}`);
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`check: ${name} failed (${signal ?? `exit status ${status}`})`);
    process.exit(1);
  }
}
