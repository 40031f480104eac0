import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  type BreakerState,
  CacheEntryUnreadableError,
  jsonSerializer,
  msgpackSerializer,
  protobufSerializer,
  type Serializer,
  TieredCache,
} from '../../../toolkit/cache';
import { Breaker } from '../../../toolkit/cache/remote/breaker';
import { decode, encode } from '../../../toolkit/cache/remote/codec';
import {
  type Envelope,
  readEnvelope,
  versionIn,
  writeEnvelope,
} from '../../../toolkit/cache/remote/envelope';
import { createVersions } from '../../../toolkit/cache/versions';
import { FakeRedis } from '../../helpers/fake-redis';

test('an entry is read as it was written, whatever is in it', () => {
  const bytes = fc.uint8Array({ maxLength: 50 });
  const tag = fc.string({ minLength: 1, unit: 'binary' }).filter(tag => !tag.includes('\0'));
  const envelope = fc.record(
    {
      kind: fc.constantFrom('value' as const, 'absent' as const, 'deleted' as const),
      version: fc
        .uint8Array({ minLength: 8, maxLength: 8 })
        .map(bytes => Buffer.from(bytes).toString('latin1')),
      freshUntilWall: fc.double({ noNaN: true }),
      loadMs: fc.nat(),
      position: fc.record({ ms: fc.nat({ max: 2 ** 48 }), seq: fc.nat() }, { noNullPrototype: true }),
      tags: fc.option(fc.array(tag, { minLength: 1, maxLength: 4 }), { nil: undefined }),
      serializer: fc.nat({ max: 7 }),
      compression: fc.nat({ max: 3 }),
      payload: bytes,
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(envelope, (envelope: Envelope) => {
      const written = writeEnvelope(envelope);
      assert.equal(versionIn(written), envelope.version);
      const { payload, ...rest } = readEnvelope(written);
      assert.deepEqual(
        { ...rest, payload: Buffer.from(payload) },
        { ...envelope, payload: Buffer.from(envelope.payload) },
      );
    }),
  );
});

test('what is no entry is told so and not misread', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      fc.pre(bytes[0] !== 0xca);
      assert.throws(() => readEnvelope(Buffer.from(bytes)), CacheEntryUnreadableError);
    }),
  );
  const whole = writeEnvelope({
    kind: 'value',
    version: '12345678',
    freshUntilWall: 1,
    loadMs: 0,
    position: { ms: 0, seq: 0 },
    tags: ['a tag'],
    serializer: 1,
    compression: 0,
    payload: Buffer.from('1'),
  });
  assert.throws(() => readEnvelope(whole.subarray(0, 38)), { code: 'CACHE_ENTRY_UNREADABLE' });
});

test('versions are never given twice, by one process or two', () => {
  const [one, other] = [createVersions(), createVersions()];
  const given = new Set<string>();
  for (let i = 0; i < 5000; i++) given.add(one()).add(other());
  assert.equal(given.size, 10_000);
  for (const version of given) assert.equal(Buffer.from(version, 'latin1').length, 8);
});

const product = protobuf
  .parse(`
  syntax = "proto3";
  enum Kind { GOODS = 0; SERVICE = 1; }
  message Product { int32 id = 1; string name = 2; repeated double prices = 3; Kind kind = 4; int64 sold = 5; bytes image = 6; }
`)
  .root.lookupType('Product');
const value = { id: 7, name: 'Größe '.repeat(400), prices: [1.5, 2.25] };
const serializers: Readonly<Record<string, Serializer>> = {
  json: jsonSerializer,
  msgpack: msgpackSerializer(),
  protobuf: protobufSerializer(product),
};

for (const [name, serializer] of Object.entries(serializers)) {
  for (const algorithm of [undefined, 'gzip', 'brotli'] as const) {
    test(`${name}, ${algorithm ?? 'not compressed'}: a value comes back as it was`, async () => {
      const codec = { serializer, compression: algorithm && { algorithm, minBytes: 100 } };
      const encoded = await encode(codec, value);
      assert.equal(encoded.compression, { none: 0, gzip: 1, brotli: 2 }[algorithm ?? 'none']);
      assert.deepEqual(await decode(codec, encoded), value);
      if (algorithm) assert.ok(encoded.payload.length < 500, String(encoded.payload.length));
      // Compressed or not, any cache with the serialiser reads it.
      assert.deepEqual(await decode({ serializer, compression: undefined }, encoded), value);
    });
  }

  test(`${name}: bytes that are not its own are told so`, async () => {
    const codec = { serializer, compression: undefined };
    for (const compression of [0, 1, 2, 3]) {
      const encoded = { payload: Buffer.from([0xc1, 0xff, 0xff]), serializer: serializer.id, compression };
      await assert.rejects(async () => decode(codec, encoded), { code: 'CACHE_ENTRY_UNREADABLE' });
    }
    const other = { payload: Buffer.from('1'), serializer: 6, compression: 0 };
    await assert.rejects(async () => decode(codec, other), { code: 'CACHE_ENTRY_UNREADABLE' });
  });
}

test('short values, and those that do not get shorter, are not compressed', async () => {
  const codec = { serializer: jsonSerializer, compression: { algorithm: 'gzip' as const, minBytes: 100 } };
  assert.equal((await encode(codec, 'a'.repeat(97))).compression, 0);
  assert.equal((await encode(codec, 'a'.repeat(98))).compression, 1);
  const bytes: Serializer = { id: 7, encode: value => value as Buffer, decode: bytes => bytes };
  const random = randomBytes(500);
  const encoded = await encode({ ...codec, serializer: bytes }, random);
  assert.deepEqual([encoded.compression, encoded.payload], [0, random]);
});

test('msgpack keeps dates, bytes and sets, and protobuf 64-bit integers to the last digit', () => {
  const rich = { at: new Date(5), bytes: Buffer.from('x'), set: new Set(['s']) };
  const { msgpack } = serializers;
  assert.deepEqual(msgpack!.decode(Buffer.from(msgpack!.encode(rich))), rich);
  const message = { sold: '9007199254740993', kind: 'SERVICE' };
  const decoded = serializers['protobuf']!.decode(Buffer.from(serializers['protobuf']!.encode(message)));
  assert.deepEqual(decoded, message);
});

test('a cache that changed its serialiser reads what it wrote as JSON before', async () => {
  const client = new FakeRedis();
  const before = new TieredCache<object>({ name: 'c', l2: { client } });
  await before.set('k', { old: true });
  const after = new TieredCache<object>({ name: 'c', l2: { client }, serializer: 'msgpack' });
  assert.deepEqual(await after.get('k'), { old: true });
  await after.set('k', { old: false });
  const back = new TieredCache<object>({ name: 'c', l2: { client } });
  assert.equal(await back.get('k'), undefined);
  assert.equal(back.stats().l2?.errors.get, 1);
});

test('a breaker opens after failures in a row, lets one call try after a pause, and waits longer each time that fails', () => {
  let now = 0;
  const breaker = new Breaker({ failures: 3, openMs: 100, maxOpenMs: 250 }, () => now);
  const states: BreakerState[] = [];
  const note = (): number => states.push(breaker.view.state);
  breaker.failed();
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  breaker.failed();
  note();
  breaker.failed();
  note();
  assert.equal(breaker.admits(), false);
  // An answer to a call from before says nothing.
  breaker.succeeded();
  assert.equal(breaker.admits(), false);
  for (const pause of [100, 200, 250, 250]) {
    now += pause - 1;
    assert.equal(breaker.admits(), false);
    now += 1;
    assert.equal(breaker.admits(), true);
    note();
    assert.equal(breaker.admits(), false);
    breaker.failed();
  }
  now += 250;
  assert.equal(breaker.admits(), true);
  breaker.succeeded();
  note();
  assert.equal(breaker.admits(), true);
  assert.deepEqual(states, ['closed', 'open', 'half-open', 'half-open', 'half-open', 'half-open', 'closed']);
  assert.equal(breaker.view.opened, 5);
});
