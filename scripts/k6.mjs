// Runs a scenario of k6/scenarios with the k6 on the PATH.
//   npm run k6 -- smoke                          and k6's own options after it:
//   npm run k6 -- average-load -e RATE=20 -e DURATION=1m
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const scenarios = readdirSync(join(root, 'k6', 'scenarios')).map(file => file.replace(/\.ts$/, ''));
const [scenario, ...options] = process.argv.slice(2);

if (!scenarios.includes(scenario)) {
  console.error(
    `k6: expected the name of a scenario, got ${scenario === undefined ? 'none' : `"${scenario}"`}`,
  );
  console.error(`k6: there are ${scenarios.join(', ')}`);
  process.exit(2);
}

const program = onPath(process.platform === 'win32' ? 'k6.exe' : 'k6');
if (program === undefined) {
  console.error(`k6: there is no k6 on the PATH. Either
  - install k6 2: https://grafana.com/docs/k6/latest/set-up/install-k6/, or
  - run it from the image, against the shop of docker-compose.yml:
      docker compose run --rm k6 run /k6/scenarios/${scenario}.ts`);
  process.exit(1);
}

const results = join(root, 'k6-results');
mkdirSync(results, { recursive: true });
const child = spawn(program, ['run', ...options, join(root, 'k6', 'scenarios', `${scenario}.ts`)], {
  stdio: 'inherit',
  // Before the summary's newer form becomes the default: handleSummary reads this one.
  env: {
    K6_NO_USAGE_REPORT: 'true',
    K6_NEW_MACHINE_READABLE_SUMMARY: 'false',
    SUMMARY_DIR: results,
    ...process.env,
  },
});
// Ctrl-C reaches k6 by itself, which then ends in order, with its teardown and its summary; sent twice it would not.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', error => {
  console.error(`k6: ${program} does not start: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, name))
    .find(file => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
