import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { CaptureBusyError, ProfilingError } from '../../../instrumentation/profiling/errors';
import { connectPeer, NoAnswerError, type Port } from '../../../instrumentation/profiling/rpc';

type Remote = {
  double(n: number): number;
  later(ms: number): Promise<string>;
  fail(kind: 'plain' | 'busy'): never;
  never(_: undefined): Promise<void>;
  heard(text: string): void;
};

const ports: MessageChannel[] = [];
afterEach(() => {
  for (const { port1, port2 } of ports.splice(0)) {
    port1.close();
    port2.close();
  }
});

function connect() {
  const channel = new MessageChannel();
  ports.push(channel);
  const heard: string[] = [];
  const remote: Remote = {
    double: n => n * 2,
    later: ms => new Promise(resolve => setTimeout(resolve, ms, `after ${ms}`)),
    fail(kind) {
      if (kind === 'busy') throw new CaptureBusyError('a cpu capture is running');
      throw new TypeError('wrong');
    },
    never: () => new Promise(() => {}),
    heard: text => void heard.push(text),
  };
  connectPeer<Record<string, never>>(channel.port2 as unknown as Port, remote);
  return { peer: connectPeer<Remote>(channel.port1 as unknown as Port, {}), heard };
}

test('a call gets its own answer, in whatever order answers come', async () => {
  const { peer } = connect();
  const answers = await Promise.all([
    peer.call('later', 20, 0),
    peer.call('double', 21, 1000),
    peer.call('later', 1, 0),
  ]);
  assert.deepEqual(answers, ['after 20', 42, 'after 1']);
});

test('a failure comes with its message, and with its code and status where it has them', async () => {
  const { peer } = connect();
  await assert.rejects(peer.call('fail', 'plain', 0), { message: 'wrong' });
  await assert.rejects(peer.call('fail', 'busy', 0), (error: unknown) => {
    assert.ok(error instanceof ProfilingError);
    assert.deepEqual([error.code, error.status], ['CAPTURE_BUSY', 409]);
    return true;
  });
});

test('a method that the other side does not have is a failure, not silence', async () => {
  const { peer } = connect();
  await assert.rejects(peer.call('absent' as 'double', 1, 0), /Expected a known method, got absent/);
});

test('no answer in time is an error of its own, and the late answer is dropped', async () => {
  const { peer } = connect();
  await assert.rejects(peer.call('later', 40, 5), NoAnswerError);
  assert.equal(await peer.call('later', 60, 0), 'after 60');
});

test('a notification arrives', async () => {
  const { peer, heard } = connect();
  peer.notify('heard', 'hello');
  await peer.call('double', 1, 0);
  assert.deepEqual(heard, ['hello']);
});

test('when the other side is gone, what waits fails and so does what comes', async () => {
  const { peer } = connect();
  const waiting = peer.call('never', undefined, 0);
  peer.close();
  await assert.rejects(waiting, NoAnswerError);
  await assert.rejects(peer.call('double', 1, 0), NoAnswerError);
  peer.notify('heard', 'nobody');
});
