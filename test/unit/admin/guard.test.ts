import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createGuard, isForeignPage } from '../../../instrumentation/admin/guard';
import { isLoopback } from '../../../instrumentation/on-demand';

const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

for (const host of [
  '127.0.0.1:6060',
  'localhost:6060',
  'LOCALHOST',
  'app.localhost:6060',
  '[::1]:6060',
  '10.1.2.3',
]) {
  test(`without a token the Host ${host} is let in`, () => {
    assert.equal(createGuard({ host: '127.0.0.1', token: undefined })(request({ host })), undefined);
  });
}

for (const host of [
  'evil.example',
  'evil.example:6060',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'xlocalhost',
]) {
  test(`without a token the Host ${host} is turned away: its name may have been bound to this machine`, () => {
    const refusal = createGuard({ host: '127.0.0.1', token: undefined })(request({ host }));
    assert.deepEqual([refusal?.status, refusal?.code], [403, 'FOREIGN_HOST']);
  });
}

test('the name that the server was told to listen on is let in', () => {
  const guard = createGuard({ host: 'Admin.internal', token: undefined });
  assert.equal(guard(request({ host: 'admin.internal:6060' })), undefined);
});

test('a missing or malformed Host is a bad request', () => {
  const guard = createGuard({ host: '127.0.0.1', token: 'secret' });
  assert.equal(guard(request({}))?.status, 400);
  for (const host of ['a b', 'x/y', 'user@host', 'host:99999', '[::1']) {
    assert.equal(guard(request({ host, authorization: 'Bearer secret' }))?.status, 400, host);
  }
});

test('with a token it is wanted, as bearer or as the password of any user, and any Host will do', () => {
  const guard = createGuard({ host: '0.0.0.0', token: 's3:cret' });
  const ask = (authorization?: string) =>
    guard(
      request({
        host: 'shop-admin.prod.svc:6060',
        ...(authorization === undefined ? {} : { authorization }),
      }),
    );
  for (const right of ['Bearer s3:cret', 'bearer s3:cret', basic('pprof:s3:cret'), basic(':s3:cret')]) {
    assert.equal(ask(right), undefined, right);
  }
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer s3:cre',
    'Bearer s3:cret ',
    'Bearer S3:cret',
    's3:cret',
    'Digest s3:cret',
    basic('s3:cret'),
    basic('pprof:wrong'),
    'Basic !!!',
  ]) {
    assert.deepEqual([ask(wrong)?.status, ask(wrong)?.code], [401, 'UNAUTHORIZED'], wrong);
  }
  assert.ok(!ask('Bearer wrong')!.message.includes('s3:cret'));
});

test('a page of another site may link to a page, and do nothing else', () => {
  const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const from = (site: string, more = {}) =>
    request({ host: 'localhost:6060', 'sec-fetch-site': site, ...more });
  for (const site of ['cross-site', 'same-site']) {
    assert.equal(isForeignPage(from(site), true), true);
    assert.equal(isForeignPage(from(site, link), true), true, 'a link that costs a capture');
    assert.equal(isForeignPage(from(site, link), false), false);
    assert.equal(isForeignPage(from(site, { ...link, 'sec-fetch-dest': 'iframe' }), false), true);
    assert.equal(isForeignPage(from(site), false), true, 'an image or a script');
  }
  for (const site of ['same-origin', 'none']) assert.equal(isForeignPage(from(site), true), false);
});

test('where a browser sends an Origin it is the server itself', () => {
  const from = (origin: string) => isForeignPage(request({ host: 'localhost:6060', origin }), true);
  assert.equal(from('http://localhost:6060'), false);
  for (const origin of ['http://localhost:3000', 'https://evil.example', 'null', 'nonsense']) {
    assert.equal(from(origin), true, origin);
  }
  assert.equal(
    isForeignPage(request({ host: 'localhost:6060' }), true),
    false,
    'curl and go tool pprof send none',
  );
});

test('loopback is what only this machine can reach', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '::ffff:127.0.0.1']) {
    assert.equal(isLoopback(host), true, host);
  }
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'shop',
    '127.0.0.1.example',
    'localhost.example',
    '1127.0.0.1',
  ]) {
    assert.equal(isLoopback(host), false, host);
  }
});
