// Runs the test files of the named suites, each file in a process of its own, and ends with one count.
//   node --import tsx scripts/test.mjs unit agent            whole suites
//   node --import tsx scripts/test.mjs agent/signals         files whose path contains the words
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const testRoot = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', 'test');
const words = process.argv.slice(2);
const timeoutMs = 15 * 60_000;

const all = readdirSync(testRoot, { recursive: true })
  .map(String)
  .filter(file => file.endsWith('.test.ts'))
  .sort();
const files = words.flatMap(word => {
  const found = existsSync(join(testRoot, word))
    ? all.filter(file => file === word || file.startsWith(`${word}/`))
    : all.filter(file => file.includes(word));
  if (found.length === 0) {
    console.error(`no test file under test/ matches "${word}"`);
    process.exit(2);
  }
  return found;
});

// Unit tests are independent of each other; the others start servers and processes, and take the machine in turn.
const concurrency = words.every(word => word.startsWith('unit')) ? 2 : 1;
let passed = 0;
let failed = 0;
const failures = [];
/** Milliseconds that the tests of a file took. */
const times = new Map();
const stream = run({
  files: [...new Set(files)].map(file => join(testRoot, file)),
  concurrency,
  timeout: timeoutMs,
});
const isFile = data => data.name.endsWith('.test.ts') && data.nesting === 0;
const time = ({ file, nesting, details }) => {
  if (file !== undefined && nesting === 0) times.set(file, (times.get(file) ?? 0) + details.duration_ms);
};
stream.on('test:pass', time);
stream.on('test:fail', time);
stream.on('test:pass', data => {
  if (data.details.type !== 'suite' && !isFile(data)) passed++;
});
stream.on('test:fail', data => {
  if (data.details.type === 'suite') return;
  // A file counts by itself only when it failed outside its tests: it did not load, or it ran out of time.
  if (isFile(data) && data.details.error?.failureType === 'subtestsFailed') return;
  failed++;
  failures.push(`${data.file ? relative(testRoot, data.file) : ''}: ${data.name}`);
});
stream.on('end', () => {
  process.stdout.write('\n');
  const slowest = [...times].sort(([, a], [, b]) => b - a).slice(0, 20);
  if (files.length > slowest.length) {
    const list = slowest.map(([file, ms]) => `${relative(testRoot, file)} ${(ms / 1000).toFixed(1)} s`);
    console.log(`slowest: ${list.join(', ')}`);
  }
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});
stream.compose(spec).pipe(process.stdout);
