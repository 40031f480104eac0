import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createDelivery } from '../../../exporters/otlp/delivery';
import { type Answer, SendError, type Sender } from '../../../exporters/otlp/sender';

const taken: Answer = { status: 'taken', body: new Uint8Array() };
const busy: Answer = { status: 'busy', error: new SendError('503', 'it answered 503') };
const refused: Answer = { status: 'refused', error: new SendError('400', 'it answered 400') };
const body = Buffer.from('a batch');

/** A receiver that gives these answers in turn, the last one for ever. */
function senderOf(...answers: Answer[]): Sender & { readonly sent: Uint8Array[]; readonly left: number[] } {
  const sent: Uint8Array[] = [];
  const left: number[] = [];
  return {
    sent,
    left,
    async send(data, timeoutMs) {
      sent.push(data);
      left.push(timeoutMs);
      return answers[Math.min(sent.length, answers.length) - 1]!;
    },
    close() {},
  };
}

const options = { gzip: false, timeoutMs: 60_000, random: () => 0.5 };
/** Lets what is ready run. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('an answer that is final is not asked for again', async () => {
  for (const answer of [taken, refused]) {
    const sender = senderOf(answer);
    assert.equal(await createDelivery(sender, options).deliver(body), answer);
    assert.equal(sender.sent.length, 1);
  }
});

test('a busy receiver is asked again after growing waits, five times at most', async context => {
  const waits: number[] = [];
  context.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
    waits.push(ms);
    setImmediate(run);
    return { unref: () => undefined };
  });
  const sender = senderOf(busy);
  assert.equal(await createDelivery(sender, options).deliver(body), busy);
  assert.deepEqual(waits, [1000, 1500, 2250, 3375, 5000]);
  assert.equal(sender.sent.length, 6);
});

test('the waits are spread by a fifth to either side', async context => {
  const waits: number[] = [];
  context.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
    waits.push(ms);
    setImmediate(run);
    return { unref: () => undefined };
  });
  for (const random of [() => 0, () => 1]) {
    await createDelivery(senderOf(busy, taken), { ...options, random }).deliver(body);
  }
  assert.deepEqual(waits.map(Math.round), [800, 1200]);
});

test('the receiver decides when it says how long', async context => {
  const waits: number[] = [];
  context.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
    waits.push(ms);
    setImmediate(run);
    return { unref: () => undefined };
  });
  const sender = senderOf({ ...busy, afterMs: 7000 } as Answer, taken);
  assert.equal(await createDelivery(sender, options).deliver(body), taken);
  assert.deepEqual(waits, [7000]);
});

test('no try begins that the time would not suffice for', async () => {
  const patient: Answer = { status: 'busy', error: new SendError('429', 'it answered 429'), afterMs: 61_000 };
  const sender = senderOf(patient);
  assert.equal(await createDelivery(sender, options).deliver(body), patient);
  assert.equal(sender.sent.length, 1);
  assert.ok(sender.left[0]! > 59_000 && sender.left[0]! <= 60_000);
});

test('in a hurry a batch that waits is tried once more at once, and no further', async () => {
  for (const last of [taken, busy]) {
    const sender = senderOf(busy, last);
    const delivery = createDelivery(sender, options);
    const delivered = delivery.deliver(body);
    await turn();
    delivery.hurry();
    assert.equal(await delivered, last);
    assert.equal(sender.sent.length, 2);
  }
});

test('in a hurry a receiver that asked for patience is left alone', async () => {
  const patient: Answer = { ...busy, afterMs: 5000 } as Answer;
  const sender = senderOf(patient);
  const delivery = createDelivery(sender, options);
  const delivered = delivery.deliver(body);
  await turn();
  delivery.hurry();
  assert.equal(await delivered, patient);
  assert.equal(sender.sent.length, 1);
});

test('a batch that comes after the hurry has its tries again', async () => {
  const sender = senderOf(busy, busy, busy, taken);
  const delivery = createDelivery(sender, options);
  const first = delivery.deliver(body);
  await turn();
  delivery.hurry();
  assert.equal(await first, busy);
  const second = delivery.deliver(body);
  await turn();
  delivery.hurry();
  assert.equal(await second, taken);
});

test('aborting ends a wait without another try, and tells the sender', async () => {
  let aborted = false;
  const delivery = createDelivery(
    {
      async send(_data, _ms, signal) {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return busy;
      },
      close() {},
    },
    options,
  );
  const delivered = delivery.deliver(body);
  await turn();
  delivery.abort();
  assert.equal(await delivered, busy);
  assert.ok(aborted);
});

test('a batch is compressed once for all its tries', async context => {
  context.mock.method(globalThis, 'setTimeout', (run: () => void) => {
    setImmediate(run);
    return { unref: () => undefined };
  });
  const sender = senderOf(busy, taken);
  await createDelivery(sender, { ...options, gzip: true }).deliver(body);
  assert.equal(sender.sent[0], sender.sent[1]);
  assert.deepEqual(gunzipSync(sender.sent[0]!), body);
});

test('many batches under way are no leak of listeners to Node.js', async context => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  context.after(() => process.removeListener('warning', warn));
  const hanging: Sender = {
    // As the senders do: each batch hears of the end.
    send: (_data, _timeoutMs, signal) =>
      new Promise(resolve => signal.addEventListener('abort', () => resolve(refused))),
    close() {},
  };
  const delivery = createDelivery(hanging, options);
  const batches = Array.from({ length: 30 }, () => delivery.deliver(body));
  await turn();
  delivery.abort();
  assert.deepEqual(await Promise.all(batches), new Array(30).fill(refused));
  await turn();
  assert.deepEqual(warnings, []);
});
