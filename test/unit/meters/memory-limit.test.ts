import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLimit } from '../../../instrumentation/meters/memory-limit';

const gib = 2 ** 30;
const machine = 64 * gib;
const limitWith = (files: Record<string, string>): number => memoryLimit(path => files[path], machine);

test('without control groups the limit is the memory of the machine', () => {
  assert.equal(limitWith({}), machine);
});

test('a container of version 2 has the limit of the root that it sees', () => {
  const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': `${2 * gib}\n` };
  assert.equal(limitWith(files), 2 * gib);
});

test('max means no limit', () => {
  const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' };
  assert.equal(limitWith(files), machine);
});

test('a limit on a group around the own one holds where it is the tighter', () => {
  const files = {
    '/proc/self/cgroup': '0::/kubepods.slice/pod7/app\n',
    '/sys/fs/cgroup/kubepods.slice/pod7/app/memory.max': 'max\n',
    '/sys/fs/cgroup/kubepods.slice/pod7/memory.max': `${gib}\n`,
    '/sys/fs/cgroup/kubepods.slice/memory.max': `${8 * gib}\n`,
  };
  assert.equal(limitWith(files), gib);
});

test('memory.high, at which the kernel only slows down, is no limit', () => {
  const files = {
    '/proc/self/cgroup': '0::/app\n',
    '/sys/fs/cgroup/app/memory.high': `${gib}\n`,
    '/sys/fs/cgroup/app/memory.max': `${4 * gib}\n`,
  };
  assert.equal(limitWith(files), 4 * gib);
});

test('a container of version 1 is told its path on the host and has its limit at the root', () => {
  const files = {
    '/proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${gib}\n`,
  };
  assert.equal(limitWith(files), gib);
});

test("version 1's largest number means no limit", () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  };
  assert.equal(limitWith(files), machine);
});

test('where both versions are mounted the one with the memory controller counts', () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/job\n0::/job\n',
    '/sys/fs/cgroup/memory/job/memory.limit_in_bytes': `${3 * gib}\n`,
    '/sys/fs/cgroup/unified/job/cgroup.procs': '1\n',
  };
  assert.equal(limitWith(files), 3 * gib);
});

test('a path that leads out of the name space of the group is read from the root', () => {
  const files = { '/proc/self/cgroup': '0::/../../sibling\n', '/sys/fs/cgroup/memory.max': `${gib}\n` };
  assert.equal(limitWith(files), gib);
});

test('files of another shape are passed over', () => {
  const files = {
    '/proc/self/cgroup': 'nonsense\n\n0::/a\n',
    '/sys/fs/cgroup/a/memory.max': '',
    '/sys/fs/cgroup/memory.max': '-1',
  };
  assert.equal(limitWith(files), machine);
});
