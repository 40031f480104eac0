import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countDescriptors, type FolderCalls } from '../../../instrumentation/meters/file-descriptors';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
const refuse = (): never => {
  throw new Error('EACCES');
};

test('a kernel that gives the number as the size of the folder is asked at each reading', () => {
  let open = 20;
  const { read } = countDescriptors({ size: () => open, list: refuse, listLater: refuse });
  assert.equal(read(), 20);
  open = 25;
  assert.equal(read(), 25);
});

test('with an older kernel they are known from the start and counted again on the clock', async () => {
  let lists = 0;
  const calls: FolderCalls = {
    size: () => 0,
    list: () => names(21),
    async listLater() {
      lists++;
      return names(31);
    },
  };
  const { read, tick } = countDescriptors(calls);
  assert.equal(read(), 20);
  assert.equal(read(), 20);
  assert.equal(lists, 0, 'a reading listed');
  tick();
  await new Promise(setImmediate);
  assert.equal(read(), 30);
});

test('where the folder can not be read the number is unknown, and nothing is thrown', async () => {
  const { read, tick } = countDescriptors({ size: refuse, list: refuse, listLater: async () => refuse() });
  assert.equal(read(), undefined);
  tick();
  await new Promise(setImmediate);
  assert.equal(read(), undefined);
});
