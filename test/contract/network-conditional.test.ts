import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import express from 'express';
import fastify from 'fastify';
import { Compression, checkPreconditions, EntityTags, entityTag } from '../../toolkit/network';
import { ask, decoded, frameworks, type RawHandler, type Running } from '../helpers/web-parts';

const text = 'content that is worth a tag '.repeat(100);
const changed = 'Fri, 01 May 2026 10:00:00 GMT';
let versions = 1;
const pages: Readonly<Record<string, RawHandler>> = {
  '/whole': (_, response) => void response.end(text),
  '/pieces'(_, response) {
    response.writeHead(200, { etag: '"own"', 'content-type': 'text/plain' });
    Readable.from([text, text]).pipe(response);
  },
  '/untagged': (_, response) => void Readable.from([text, text]).pipe(response),
  '/dated'(_, response) {
    response.setHeader('last-modified', changed);
    response.end(text);
  },
  '/secret': (_, response) => void response.writeHead(200, { 'cache-control': 'no-store' }).end(text),
  '/missing': (_, response) => void response.writeHead(404).end(text),
  '/item'(request, response) {
    if (!checkPreconditions(request, response, { etag: `"v${versions}"` }, { required: true })) return;
    if (request.method === 'PUT') versions++;
    response.setHeader('etag', `"v${versions}"`);
    response.end('done');
  },
};
const handler: RawHandler = (request, response) => pages[request.url!]!(request, response);
const running: Running[] = [];
after(() => Promise.all(running.map(one => one.close())));

for (const [framework, start] of Object.entries(frameworks)) {
  test(`${framework}: who has a content already gets 304 and nothing more`, async () => {
    const tags = new EntityTags({ cacheControl: { public: true, maxAge: 60 } });
    const server = await start([tags], handler);
    running.push(server);
    const first = await ask(server, { path: '/whole' });
    assert.equal(first.headers['etag'], entityTag(text));
    assert.equal(first.headers['cache-control'], 'public, max-age=60');
    const get = (path: string, headers: Record<string, string>, method = 'GET') =>
      ask(server, { path, headers, method });
    const again = await get('/whole', { 'if-none-match': `"other", ${entityTag(text)}` });
    assert.deepEqual(
      [
        again.status,
        again.body.length,
        again.headers['etag'],
        again.headers['cache-control'],
        again.headers['content-length'],
      ],
      [304, 0, entityTag(text), 'public, max-age=60', undefined],
    );
    assert.equal((await get('/whole', { 'if-none-match': '"other"' })).body.toString(), text);
    assert.equal((await get('/whole', { 'if-match': '"other"' })).status, 412);
    assert.equal((await get('/pieces', { 'if-none-match': 'W/"own"' })).status, 304);
    assert.equal((await get('/untagged', { 'if-none-match': '*' })).status, 304);
    assert.equal((await get('/untagged', {})).headers['etag'], undefined);
    assert.equal((await get('/untagged', {})).body.toString(), text + text);
    assert.equal((await get('/dated', { 'if-modified-since': changed })).status, 304);
    assert.equal((await get('/dated', { 'if-modified-since': 'Thu, 30 Apr 2026 10:00:00 GMT' })).status, 200);
    const secret = await get('/secret', {});
    assert.deepEqual([secret.headers['etag'], secret.headers['cache-control']], [undefined, 'no-store']);
    const missing = await get('/missing', { 'if-none-match': '*' });
    assert.deepEqual(
      [missing.status, missing.headers['etag'], missing.headers['cache-control']],
      [404, undefined, undefined],
    );
    const posted = await get('/whole', { 'if-none-match': entityTag(text) }, 'POST');
    assert.deepEqual([posted.status, posted.headers['etag']], [200, undefined]);
    const { responses, notModified, sparedBytes, failed, tagged } = tags.stats();
    assert.deepEqual([responses, notModified, failed, tagged], [13, 4, 1, 6]);
    assert.equal(sparedBytes, text.length * 2);
  });

  test(`${framework}: nobody overwrites what they have not seen`, async () => {
    versions = 1;
    const server = await start([], handler);
    running.push(server);
    const put = async (headers: Record<string, string>) =>
      (await ask(server, { path: '/item', method: 'PUT', headers })).status;
    assert.equal(await put({}), 428);
    assert.equal(await put({ 'if-match': '"v0"' }), 412);
    assert.equal(await put({ 'if-match': '"v1"' }), 200);
    assert.equal(await put({ 'if-match': '"v1"' }), 412);
    assert.equal(await put({ 'if-none-match': '*' }), 412);
    assert.equal((await ask(server, { path: '/item', headers: { 'if-none-match': '"v2"' } })).status, 304);
    assert.equal(versions, 2);
  });
}

test('in express what send, json and sendFile answer is compressed and tagged', async () => {
  const app = express();
  // Or it would print the error below.
  app.set('env', 'test');
  const compression = new Compression({ name: 'express', minBytes: 100 });
  app.use(compression.middleware(), new EntityTags().middleware());
  app.get('/json', (_, response) => void response.json({ text }));
  app.get('/file', (_, response) => response.sendFile('CHANGELOG.md', { root: process.cwd() }));
  app.get('/fails', () => {
    throw new Error('failed');
  });
  const server = createServer(app);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const port = (server.address() as { port: number }).port;
  running.push({ port, http2: false, close: async () => void server.close() });
  for (const path of ['/json', '/file']) {
    const answer = await ask({ port, http2: false }, { path, headers: { 'accept-encoding': 'gzip' } });
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.match(decoded(answer).toString(), path === '/json' ? /^\{"text":"content/ : /^# Changelog/);
    const tag = answer.headers['etag'] as string;
    assert.match(tag, /^W\//);
    const again = await ask(
      { port, http2: false },
      { path, headers: { 'accept-encoding': 'gzip', 'if-none-match': tag } },
    );
    assert.deepEqual([again.status, again.body.length], [304, 0]);
  }
  assert.equal((await ask({ port, http2: false }, { path: '/fails' })).status, 500);
});

test('in fastify what handlers send and return is compressed and tagged', async () => {
  const app = fastify();
  await app.register(new Compression({ name: 'fastify', minBytes: 100 }).plugin());
  await app.register(new EntityTags().plugin());
  app.get('/returned', async () => ({ text }));
  app.get('/sent', (_, reply) => void reply.type('text/plain').send(text));
  app.get('/sent-late', async (_, reply) => {
    await reply.type('text/plain').send(text);
  });
  app.get('/stream', async (_, reply) => reply.type('text/plain').send(Readable.from([text, text])));
  app.get('/fails', async () => {
    throw new Error('failed');
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };
  running.push({ port, http2: false, close: () => app.close() });
  for (const path of ['/returned', '/sent', '/sent-late', '/stream']) {
    const answer = await ask({ port, http2: false }, { path, headers: { 'accept-encoding': 'br' } });
    assert.equal(answer.headers['content-encoding'], 'br', path);
    const content = path === '/returned' ? JSON.stringify({ text }) : path === '/stream' ? text + text : text;
    assert.equal(decoded(answer).toString(), content);
    if (path === '/stream') continue;
    const tag = answer.headers['etag'] as string;
    const again = await ask(
      { port, http2: false },
      { path, headers: { 'accept-encoding': 'br', 'if-none-match': tag } },
    );
    assert.deepEqual([again.status, again.body.length, again.headers['etag']], [304, 0, tag]);
  }
  assert.equal((await ask({ port, http2: false }, { path: '/fails' })).status, 500);
});
