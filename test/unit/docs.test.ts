import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(__dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'docs/architecture.md',
  'docs/k6.md',
  'docs/faults.md',
];
const labs = readdirSync(join(root, 'docs/labs')).map(file => `docs/labs/${file}`);
const configuration = read('docs/configuration.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** The heading's anchor, as GitHub makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(' ', '-');

for (const page of [...pages, ...labs]) {
  const text = read(page);

  test(`${page}: every link leads to a file of the repository, and to a heading that is in it`, () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), target);
      if (heading === undefined) continue;
      const headings = [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchor(title!));
      assert.ok(headings.includes(heading), target);
    }
  });

  test(`${page}: every file and folder that it names is there`, () => {
    const folders = 'instrumentation|exporters|toolkit|mall|grafana|k6|bench|test|scripts|docs';
    for (const [, path] of text.matchAll(new RegExp(`(?<![\\w/.-])((?:${folders})/[\\w./-]*)`, 'g'))) {
      // A sentence may end with a path.
      assert.ok(existsSync(join(root, path!.replace(/\.$/, ''))), path);
    }
  });

  test(`${page}: every script and every option that it names exists`, () => {
    for (const [, name] of text.matchAll(/npm run (?:-s )?([\w:-]+)/g)) assert.ok(scripts[name!], name);
    for (const [name] of text.matchAll(/\b(?:OTEL|VITALS|PYROSCOPE)_[A-Z_]+\b/g)) {
      assert.ok(configuration.includes(name), name);
    }
  });
}

test('every lab is in the list of labs, and every benchmark that a lab names is one', () => {
  const list = read('docs/labs/README.md');
  const runner = read('bench/run.ts');
  for (const lab of labs) {
    if (!lab.endsWith('/README.md')) assert.ok(list.includes(`](${basename(lab)})`), lab);
    for (const [, name] of read(lab).matchAll(/npm run bench -- ([\w-]+)/g)) {
      assert.match(runner, new RegExp(`^  '?${name}'?: \\(\\)`, 'm'), name);
    }
  }
});

test('the version of the changelog to come is the one of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const changelog = read('CHANGELOG.md');
  assert.ok(changelog.includes(`\n## [${version}]`) || changelog.includes(`To become ${version}`), version);
});
