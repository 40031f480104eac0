import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Channel, type SelectCase, select, trySelect } from '../../../toolkit/channel';
import { assertChannelLaws, countedSignal, turns } from '../../helpers/channels';

const make = (name: string, capacity = 0): Channel<number> => new Channel<number>({ name, capacity });

test('takes what is ready, and leaves the other channels alone', async () => {
  const [a, b, out] = [make('a', 1), make('b', 1), make('out', 1)];
  out.trySend(0);
  b.trySend(5);
  assert.deepEqual(await select([{ receive: a }, { receive: b }, { send: out, message: 1 }]), {
    index: 1,
    value: 5,
    done: false,
  });
  assert.equal(trySelect([{ receive: a }, { send: out, message: 1 }]), undefined);
  assert.deepEqual([a.length, b.length, out.length], [0, 0, 1]);
});

test('the place of the case tells the type of its value', async () => {
  const numbers = new Channel<number>({ name: 'n', capacity: 1 });
  const texts = new Channel<string>({ name: 't', capacity: 1 });
  texts.trySend('tea');
  const got = await select([{ receive: numbers }, { receive: texts }]);
  if (got.done) assert.fail('closed');
  const length: number = got.index === 1 ? got.value.length : got.value + 0;
  assert.equal(length, 3);
});

test('among several that are ready, chance decides, so that none starves', async () => {
  const [a, b] = [make('a', 100), make('b', 100)];
  for (let i = 0; i < 100; i++) {
    a.trySend(i);
    b.trySend(i);
  }
  const chosen = [0, 0];
  for (let i = 0; i < 100; i++) chosen[(await select([{ receive: a }, { receive: b }])).index]!++;
  assert.ok(chosen[0]! > 15 && chosen[1]! > 15, String(chosen));
  assert.equal((await select([{ receive: a }, { receive: b }], { random: () => 0.99 })).index, 1);
  assert.equal((await select([{ receive: a }, { receive: b }], { random: () => 0 })).index, 0);
});

test('waits for the first that becomes ready, and then for nothing more', async () => {
  const [a, b, out] = [make('a'), make('b'), make('out')];
  const waiting = select([{ receive: a }, { receive: b }, { send: out, message: 9 }]);
  const second = select([{ receive: a }, { send: out, message: 10 }]);
  assert.equal(out.tryReceive(), 9);
  assert.deepEqual(await waiting, { index: 2, value: undefined, done: false });
  assert.equal(b.trySend(1), false, 'a select that has ended still waits');
  assert.equal(a.trySend(3), true);
  assert.deepEqual(await second, { index: 0, value: 3, done: false });
  for (const channel of [a, b, out]) {
    const { send, receive } = assertChannelLaws(channel);
    assert.deepEqual([send.waiting, receive.waiting], [0, 0]);
  }
});

test('two selects that would send and receive on one channel meet', async () => {
  const channel = make('both');
  const cases = (message: number) => [{ receive: channel }, { send: channel, message }] as const;
  const first = select(cases(1));
  await turns(1);
  const second = select(cases(2), { random: () => 0 });
  const [a, b] = await Promise.all([first, second]);
  const values = [a, b].map(one => one.value).sort();
  assert.equal(a.index + b.index, 1, 'one must have sent and one received');
  assert.ok(values.includes(undefined) && (values.includes(1) || values.includes(2)));
  const { sent, received } = assertChannelLaws(channel);
  assert.deepEqual([sent, received], [1, 1]);
});

test('receiving from a closed and empty channel is done; sending to a closed one is refused', async () => {
  const [a, b, full] = [make('a'), make('b'), make('full')];
  const receiving = select([{ receive: a }, { receive: b }]);
  const sending = assert.rejects(select([{ send: full, message: 1 }, { receive: a }]), {
    code: 'CHANNEL_CLOSED',
    channel: 'full',
  });
  full.close();
  b.close();
  assert.deepEqual(await receiving, { index: 1, value: undefined, done: true });
  await sending;
  assert.equal((await select([{ receive: b }])).done, true);
  await assert.rejects(select([{ send: b, message: 1 }]), { code: 'CHANNEL_CLOSED', channel: 'b' });
  assert.equal(a.stats().receive.waiting, 0);
  await assert.rejects(select([]), /Expected at least one case to select from, got none/);
});

test('time and a signal end it at all its channels', async () => {
  const [a, b] = [make('a'), make('b')];
  const cases = [{ receive: a }, { send: b, message: 1 }] as const;
  await assert.rejects(select(cases, { timeoutMs: 5 }), { code: 'CHANNEL_TIMEOUT', channel: 'a, b' });
  const counted = countedSignal();
  const waiting = select(cases, { signal: counted.signal, timeoutMs: 60_000 });
  assert.equal(counted.listeners(), 1);
  counted.abort(new RangeError('leaving'));
  await assert.rejects(
    waiting,
    (error: Error & { code?: string }) =>
      error.code === 'CHANNEL_ABORTED' && error.cause instanceof RangeError,
  );
  const served = countedSignal();
  const got = select(cases, { signal: served.signal });
  a.trySend(1);
  await got;
  assert.equal(served.listeners(), 0);
  const { receive } = assertChannelLaws(a);
  const { send } = assertChannelLaws(b);
  assert.deepEqual([receive.timeouts, receive.aborted, receive.waiting], [1, 1, 0]);
  assert.deepEqual([send.timeouts, send.aborted, send.waiting], [1, 1, 0]);
  await assert.rejects(select(cases, { signal: counted.signal }), { code: 'CHANNEL_ABORTED' });
});

test('whatever selects do, each message that was sent is received once, and none that was not', async () => {
  const step = fc.array(fc.record({ channel: fc.nat(2), sends: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }),
      async (steps, capacities) => {
        const channels = capacities.map((capacity, i) => make(`c${i}`, capacity));
        const sent: number[] = [];
        const received: number[] = [];
        let last = 0;
        const running = steps.map(async step => {
          const cases: SelectCase[] = step.map(one => {
            const channel = channels[one.channel]!;
            return one.sends ? { send: channel, message: ++last } : { receive: channel };
          });
          const { index, value, done } = await select(cases).catch(() => ({
            index: -1,
            value: 0,
            done: true,
          }));
          if (done) return;
          const did = cases[index]!;
          if ('send' in did) sent.push(did.message as number);
          else received.push(value as number);
        });
        await turns(1);
        for (const channel of channels) assertChannelLaws(channel);
        for (const channel of channels) {
          channel.close();
          for await (const message of channel) received.push(message);
        }
        await Promise.all(running);
        assert.deepEqual(
          received.sort((a, b) => a - b),
          sent.sort((a, b) => a - b),
        );
        for (const channel of channels) {
          const { send, receive } = assertChannelLaws(channel);
          assert.deepEqual([send.waiting, receive.waiting], [0, 0]);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a case that is ready wins over one that sends to a closed channel', async () => {
  const [open, closed] = [make('open'), make('closed')];
  closed.close();
  for (const random of [() => 0, () => 0.99]) {
    const waiting = open.send(7);
    const cases = [{ send: closed, message: 1 }, { receive: open }, { send: closed, message: 2 }] as const;
    assert.deepEqual(await select(cases, { random }), { index: 1, value: 7, done: false });
    await waiting;
    assert.throws(() => trySelect(cases, { random }), { code: 'CHANNEL_CLOSED', channel: 'closed' });
  }
  // Once for each select that came to nothing, and for none that did something.
  assert.equal(closed.stats().send.closed, 2);
  const nothing = [{ receive: open }, { send: closed, message: undefined as never }] as const;
  await assert.rejects(select(nothing), /Expected a message other than undefined/);
});
