import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchSites, sitesOf } from '../../../../instrumentation/diagnosis/leak/sites';
import type { AllocationNode } from '../../../../instrumentation/profiling/contract';

const node = (
  name: string,
  scriptName: string,
  bytes: number,
  children: readonly AllocationNode[] = [],
): AllocationNode => ({
  name,
  scriptName,
  lineNumber: 7,
  children,
  allocations: bytes > 0 ? [{ sizeBytes: 100, count: bytes / 100 }] : [],
});
const root = (...children: AllocationNode[]): AllocationNode => node('(root)', '', 0, children);
const mib = 1_000_000;

/** A search over what is alive at one reading after the other. */
function search(readings: readonly AllocationNode[], gapMs = 1000) {
  let time = 0;
  let next = 0;
  const intervals: number[] = [];
  let ended = 0;
  const sites = searchSites(
    gapMs,
    intervalBytes => {
      intervals.push(intervalBytes);
      return {
        start() {},
        stop() {
          ended++;
          return 'stopped';
        },
        read: () => ({ root: readings[next++], externalBytes: 0, since: 0 }),
      };
    },
    () => time,
  );
  return {
    sites,
    intervals,
    majors(count: number, ms = 1000) {
      for (let i = 0; i < count; i++) {
        sites.majorEnded();
        time += ms;
      }
    },
    ended: () => ended,
    read: () => next,
  };
}

test('allocations count for the innermost function of the application, over all ways that lead to it', () => {
  const found = sitesOf(
    root(
      node('handle', '/srv/app.js', 0, [
        node('remember', '/srv/app.js', 300, [node('set', 'node:internal/map', 500)]),
      ]),
      node('other', '/srv/app.js', 0, [node('remember', '/srv/app.js', 100)]),
    ),
  );
  const [site] = [...found.values()];
  assert.equal(found.size, 1);
  assert.deepEqual([site!.name, site!.file, site!.line, site!.bytes], ['remember', '/srv/app.js', 7, 900]);
  assert.deepEqual(site!.stack, [
    'set node:internal/map:7',
    'remember /srv/app.js:7',
    'handle /srv/app.js:7',
  ]);
});

test('what grows from reading to reading is found, and sampling then ends', () => {
  const { sites, majors, ended } = search(
    [1, 2, 3, 4, 5].map(i =>
      root(node('leak', '/srv/app.js', i * 5 * mib), node('steady', '/srv/app.js', 20 * mib + (i % 2) * mib)),
    ),
  );
  sites.begin(1e6);
  majors(4);
  assert.equal(sites.found(), undefined);
  majors(1);
  assert.deepEqual(
    sites.found()!.map(({ name, addedBytes, liveBytes }) => [name, addedBytes, liveBytes]),
    [['leak', 20 * mib, 25 * mib]],
  );
  assert.equal(ended(), 1);
});

test('what lived before and is only seen now, because sampling has just begun, is none that grows', () => {
  const { sites, majors, ended } = search(
    [2, 9, 10, 10.2, 10.3, 10.4].map(live => root(node('session', '/srv/app.js', live * mib))),
  );
  sites.begin(1e6);
  majors(6);
  assert.equal(sites.found(), undefined);
  assert.equal(ended(), 0, 'it goes on looking');
});

test('readings are apart, and none is made without a suspicion', () => {
  const { sites, majors, read } = search([1, 2, 3].map(i => root(node('leak', '/srv/app.js', i * mib))));
  majors(5);
  assert.equal(read(), 0);
  sites.begin(1e6);
  majors(5, 300);
  assert.equal(read(), 2);
});

test('it samples at most some 500 times a second, whatever is allocated', () => {
  const { sites, intervals } = search([]);
  for (const allocated of [0, 20e6, 10e9]) {
    sites.begin(allocated);
    sites.begin(allocated);
    sites.reset();
  }
  assert.deepEqual(intervals, [8192, 40_000, 524_288]);
});

test('a platform without the sampler says so, once and for all', () => {
  const sites = searchSites(1000, () => undefined);
  assert.equal(sites.unavailable, undefined);
  sites.begin(1e6);
  assert.match(sites.unavailable!, /no build for this platform/);
  sites.majorEnded();
  assert.equal(sites.found(), undefined);
});
