import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cacheControl, EntityTags, entityTag, evaluatePreconditions } from '../../../../toolkit/network';

const at = (text: string): Date => new Date(text);
const now = at('2026-05-01T10:00:00.500Z');
const date = (seconds: number): string =>
  new Date(at('2026-05-01T10:00:00Z').getTime() + seconds * 1000).toUTCString();

test('conditions are evaluated in the order of RFC 9110', () => {
  const current = { etag: '"a"', lastModified: now };
  for (const [method, headers, result, of = current] of [
    ['GET', {}, 'proceed'],
    ['GET', { 'if-none-match': '"a"' }, 'not_modified'],
    ['HEAD', { 'if-none-match': 'W/"a"' }, 'not_modified'],
    ['GET', { 'if-none-match': '"b", W/"a"' }, 'not_modified'],
    ['GET', { 'if-none-match': '"b"' }, 'proceed'],
    ['GET', { 'if-none-match': '*' }, 'not_modified'],
    ['GET', { 'if-none-match': '*' }, 'proceed', { exists: false }],
    ['PUT', { 'if-none-match': '*' }, 'failed'],
    ['PUT', { 'if-none-match': '*' }, 'proceed', { exists: false }],
    ['DELETE', { 'if-none-match': '"a"' }, 'failed'],
    // The date is passed over where there are tags.
    ['GET', { 'if-none-match': '"b"', 'if-modified-since': date(0) }, 'proceed'],
    ['GET', { 'if-modified-since': date(0) }, 'not_modified'],
    ['GET', { 'if-modified-since': date(60) }, 'not_modified'],
    ['GET', { 'if-modified-since': date(-1) }, 'proceed'],
    ['POST', { 'if-modified-since': date(0) }, 'proceed'],
    ['GET', { 'if-modified-since': 'yesterday' }, 'proceed'],
    ['GET', { 'if-modified-since': '2026-05-01' }, 'proceed'],
    ['GET', { 'if-modified-since': 'Fri May  1 10:00:00 2026' }, 'not_modified'],
    ['GET', { 'if-modified-since': date(0) }, 'proceed', { etag: '"a"' }],
    ['PUT', { 'if-match': '"a"' }, 'proceed'],
    ['PUT', { 'if-match': '"b", "a"' }, 'proceed'],
    ['PUT', { 'if-match': '"b"' }, 'failed'],
    ['PUT', { 'if-match': 'W/"a"' }, 'failed'],
    ['PUT', { 'if-match': 'W/"a"' }, 'failed', { etag: 'W/"a"' }],
    ['PUT', { 'if-match': '*' }, 'proceed'],
    ['PUT', { 'if-match': '*' }, 'failed', { exists: false }],
    ['PUT', { 'if-match': '"a"' }, 'failed', { exists: false }],
    ['PUT', { 'if-unmodified-since': date(0) }, 'proceed'],
    ['PUT', { 'if-unmodified-since': date(-1) }, 'failed'],
    ['PUT', { 'if-match': '"a"', 'if-unmodified-since': date(-1) }, 'proceed'],
    ['GET', { 'if-match': '"a"', 'if-none-match': '"a"' }, 'not_modified'],
    ['GET', { 'if-match': '"b"', 'if-none-match': '"a"' }, 'failed'],
    ['GET', { 'if-none-match': 'a' }, 'proceed'],
    ['GET', { 'if-none-match': '"a,b"' }, 'not_modified', { etag: '"a,b"' }],
  ] as readonly [string, Record<string, string>, string, object?][]) {
    assert.equal(
      evaluatePreconditions({ method, headers }, of),
      result,
      `${method} ${JSON.stringify(headers)}`,
    );
  }
});

test('a tag is of the content and of nothing else', () => {
  assert.equal(entityTag('x'), entityTag(Buffer.from('x')));
  assert.notEqual(entityTag('x'), entityTag('y'));
  assert.equal(entityTag('x', true), `W/${entityTag('x')}`);
  assert.match(entityTag(''), /^"[\w-]{22}"$/);
  assert.throws(
    () => new EntityTags({ maxBytes: 0.5 }),
    /Expected maxBytes to be an integer of zero or more, got 0.5/,
  );
  assert.throws(() => new EntityTags({ cacheControl: { maxAge: -1 } }), /Expected maxAge/);
});

test('directives are written as caches read them', () => {
  for (const [directives, written] of [
    [{ public: true, maxAge: 60 }, 'public, max-age=60'],
    [{ maxAge: 0, mustRevalidate: true }, 'max-age=0, must-revalidate'],
    [{ private: true, noCache: true }, 'private, no-cache'],
    [{ noStore: true, private: true }, 'private, no-store'],
    [{ noStore: true, mustUnderstand: true, maxAge: 60 }, 'no-store, max-age=60, must-understand'],
    [{ public: true, maxAge: 31_536_000, immutable: true }, 'public, max-age=31536000, immutable'],
    [
      { maxAge: 60, sMaxAge: 600, staleWhileRevalidate: 30, staleIfError: 86_400, noTransform: true },
      'max-age=60, s-maxage=600, stale-while-revalidate=30, stale-if-error=86400, no-transform',
    ],
    [{ private: ['set-cookie'], public: true, maxAge: 5 }, 'public, private="set-cookie", max-age=5'],
    [{ maxAge: 5, public: false, noCache: undefined }, 'max-age=5'],
  ] as const) {
    assert.equal(cacheControl(directives as never), written);
  }
});

test('directives that contradict each other are refused', () => {
  for (const [directives, message] of [
    [{ public: true, private: true }, /Expected public without private: it is one or the other/],
    [{ private: true, sMaxAge: 1 }, /Expected private without sMaxAge/],
    [{ noStore: true, maxAge: 1 }, /Expected noStore without maxAge: nothing is kept/],
    [{ noStore: true, immutable: true, maxAge: 1 }, /Expected noStore without/],
    [{ mustRevalidate: true, staleWhileRevalidate: 1, maxAge: 1 }, /never to be used when stale/],
    [{ noCache: true, immutable: true, maxAge: 1 }, /Expected noCache without immutable/],
    [{ immutable: true }, /Expected immutable with maxAge or sMaxAge/],
    [{ mustUnderstand: true }, /Expected mustUnderstand with noStore/],
    [{ maxAge: 1.5 }, /Expected maxAge to be whole seconds of zero or more, got 1.5/],
    [{ maxAge: '60' }, /Expected maxAge to be whole seconds/],
    [{ public: 'yes' }, /Expected public to be true or false, got yes/],
    [{ private: ['a b'] }, /Expected private to name header fields, got a b/],
    [{ private: [] }, /Expected private to be true, false or a list of header fields/],
    [{ maxage: 1 }, /Expected one of public, .*, got maxage/],
    [{}, /Expected at least one directive/],
  ] as const) {
    assert.throws(() => cacheControl(directives as never), message, JSON.stringify(directives));
  }
});

test('what is written reads back as what was meant, whatever is combined', () => {
  const seconds = fc.option(fc.nat(), { nil: undefined });
  const flag = fc.option(fc.boolean(), { nil: undefined });
  const directives = fc.record({
    public: flag,
    private: flag,
    maxAge: seconds,
    sMaxAge: seconds,
    noCache: flag,
    noStore: flag,
    mustRevalidate: flag,
    immutable: flag,
    staleWhileRevalidate: seconds,
  });
  const words: Record<string, string> = {
    public: 'public',
    private: 'private',
    maxAge: 'max-age',
    sMaxAge: 's-maxage',
    noCache: 'no-cache',
    noStore: 'no-store',
    mustRevalidate: 'must-revalidate',
    immutable: 'immutable',
    staleWhileRevalidate: 'stale-while-revalidate',
  };
  fc.assert(
    fc.property(directives, given => {
      let text: string;
      try {
        text = cacheControl(given as never);
      } catch (error) {
        assert.ok(error instanceof TypeError);
        return;
      }
      const read = new Set(text.split(', '));
      const meant = Object.entries(given).flatMap(([name, value]) =>
        value === undefined || value === false
          ? []
          : [value === true ? words[name]! : `${words[name]}=${value}`],
      );
      assert.deepEqual(read, new Set(meant));
      assert.ok(!(read.has('public') && read.has('private')));
      if (read.has('no-store')) assert.ok([...read].every(one => one === 'no-store' || one === 'private'));
    }),
  );
});
