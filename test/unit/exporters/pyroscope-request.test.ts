import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProfileExport } from '../../../exporters/pyroscope/library';
import { destination, ingestPath, profileName } from '../../../exporters/pyroscope/request';

const base = { serverAddress: 'http://localhost:4040', applicationName: 'shop', tags: {} };

test('labels come sorted, so that one process has one name', () => {
  assert.equal(profileName('shop', { b: '2', a: '1' }), 'shop{a=1,b=2}');
});

test('any application name and labels give a name that Pyroscope parses back into as many labels', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, fc.dictionary(text, text), (application, tags) => {
      const match = /^[A-Za-z0-9_./-]+\{(.*)\}$/s.exec(profileName(application, tags));
      assert.ok(match);
      for (const pair of match[1] === '' ? [] : match[1]!.split(','))
        assert.match(pair, /^[A-Za-z0-9_.]+=[^{},=]+$/s);
    }),
  );
});

test('a name that Pyroscope does not take is kept whole as service_name', () => {
  assert.equal(profileName('@acme/shop', {}), '_acme/shop{service_name=@acme/shop}');
  assert.equal(profileName('@acme/shop', { service_name: 'mine' }), '_acme/shop{service_name=mine}');
});

test('the endpoint lies below the path of the address and carries no credentials', () => {
  const { endpoint } = destination({ ...base, serverAddress: 'https://me:secret@host:1/prefix//?x=1#y' });
  assert.equal(endpoint.href, 'https://host:1/prefix/ingest');
});

test('a token goes before basic authentication, and options before what the address says', () => {
  const auth = (more: object) =>
    destination({ ...base, serverAddress: 'http://a:b@localhost', ...more }).headers['authorization'];
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  assert.equal(auth({}), basic('a:b'));
  assert.equal(auth({ basicAuthUser: 'c', basicAuthPassword: 'd' }), basic('c:d'));
  assert.equal(auth({ authToken: 't', basicAuthUser: 'c' }), 'Bearer t');
  assert.equal(destination(base).headers['authorization'], undefined);
});

test('an address that is no http URL is an error', () => {
  for (const serverAddress of ['', 'localhost', 'unix:///x']) {
    assert.throws(() => destination({ ...base, serverAddress }), TypeError);
  }
});

test('a window under a second is not empty', () => {
  const window = {
    startedAt: new Date(1_700_000_000_100),
    stoppedAt: new Date(1_700_000_000_200),
  } as ProfileExport;
  const query = new URLSearchParams(ingestPath(destination(base), window, 100).split('?')[1]);
  assert.deepEqual(Object.fromEntries(query), {
    format: 'pprof',
    from: '1700000000',
    name: 'shop{}',
    sampleRate: '100',
    spyName: 'nodespy',
    until: '1700000001',
  });
});
