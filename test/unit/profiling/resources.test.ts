import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { readActiveResources } from '../../../instrumentation/profiling/main/active-resources';
import { trackResources } from '../../../instrumentation/profiling/main/resource-tracker';
import { resourceProfile } from '../../../instrumentation/profiling/worker/resources';

const timers: NodeJS.Timeout[] = [];
after(() => timers.forEach(clearTimeout));

function pollPrices(): void {
  timers.push(setInterval(() => {}, 60_000));
}

test('sockets and servers are told apart by what they are connected to', async t => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const client = connect(port, '127.0.0.1');
  const [peer] = (await accepted) as [typeof client];
  t.after(() => {
    client.destroy();
    peer.destroy();
    server.close();
  });
  if (client.connecting) await once(client, 'connect');
  const groups = readActiveResources(undefined);
  const count = (detail: string) => groups.find(group => group.detail === detail);
  assert.equal(count(`server at 127.0.0.1:${port}`)?.type, 'TCPServerWrap');
  assert.equal(count(`connection to 127.0.0.1:${port}`)?.type, 'TCPSocketWrap');
  assert.equal(count(`client of the server at port ${port}`)?.count, 1);
  const all = groups.reduce((total, group) => total + group.count, 0);
  assert.equal(all, process.getActiveResourcesInfo().length);
});

test('tracked timers are grouped by the function that made them, and gone ones do not count', () => {
  const tracker = trackResources();
  try {
    for (let i = 0; i < 5; i++) pollPrices();
    const gone = setTimeout(() => {}, 60_000);
    clearTimeout(gone);
    const groups = readActiveResources(tracker).filter(({ created }) => created?.[0]?.name === 'pollPrices');
    assert.deepEqual(
      groups.map(({ type, count }) => [type, count]),
      [['Timeout', 5]],
    );
    assert.equal(
      readActiveResources(tracker).filter(({ created }) => created?.[0]?.name === 'pollPrices')[0]!.count,
      5,
    );

    const profile = resourceProfile(readActiveResources(tracker));
    const leak = profile.samples.find(({ frames }) => frames[0]!.name === 'pollPrices')!;
    assert.equal(leak.frames.at(-1)!.name, 'Timeout');
    assert.deepEqual([leak.values, leak.labels], [[5], { type: 'Timeout' }]);
  } finally {
    tracker.stop();
  }
});

test('timers that fired or hold nothing do not count in the place of those that do', async () => {
  timers.splice(0).forEach(clearTimeout);
  const tracker = trackResources();
  try {
    // Made before the others, so that their places come first.
    const idle = Array.from({ length: 20 }, () => setInterval(() => {}, 60_000).unref());
    const fired = new Promise<void>(resolve => {
      for (let i = 0; i < 20; i++) setTimeout(resolve, 1);
    });
    for (let i = 0; i < 5; i++) pollPrices();
    await fired;
    const groups = readActiveResources(tracker).filter(({ created }) => created?.[0]?.name === 'pollPrices');
    assert.deepEqual(
      groups.map(({ count }) => count),
      [5],
    );
    idle.forEach(clearInterval);
  } finally {
    tracker.stop();
  }
});

test('untracked resources say what would show their place', () => {
  const [group] = readActiveResources(undefined).filter(({ type }) => type === 'Timeout');
  assert.ok(group !== undefined && group.count >= 5);
  const { comments, samples } = resourceProfile([group]);
  assert.deepEqual(
    samples[0]!.frames.map(({ name }) => name),
    ['Timeout'],
  );
  assert.match(comments[0]!, /VITALS_TRACK_RESOURCES=true/);
});
