import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { repository } from '../helpers/app';
import { selfSigned } from '../helpers/certificate';
import { active, served, startWeb, type WebApp } from '../helpers/web-app';

const script = join(repository, 'test', 'fixtures', 'apps', 'use-frameworks', 'plain.js');

let web: WebApp;
/** Ports of https, HTTP/2 without and with TLS. */
let ports: readonly number[];
before(async () => {
  const { cert, key } = selfSigned();
  web = await startWeb(script, 'require', { env: { CERTIFICATE: cert, PRIVATE_KEY: key } });
  ports = (await web.app.printed(/others (\d+ \d+ \d+)/))[1]!.split(' ').map(Number);
});
after(() => web?.end());

/** Sends text as it is and gives all that comes back until the server hangs up. */
async function raw(text: string): Promise<string> {
  const socket = connect(web.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    answer += part;
  });
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

async function overHttp2(url: string): Promise<string> {
  const session = connectHttp2(url, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/two' });
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(stream, 'end');
  session.close();
  return text;
}

it('a plain server has no route, and no path of a request is in any series', async () => {
  assert.equal((await web.ask('/secret/path?token=1')).body, '1.1 GET /secret/path');
  const kept = 'GET /secret/one HTTP/1.1\r\nHost: a\r\n\r\n';
  const last = 'PROPFIND /secret/two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const answer = await raw(kept + kept + last);
  assert.deepEqual(answer.match(/1\.1 \w+ \/secret\/[a-z]+/g), [
    '1.1 GET /secret/one',
    '1.1 GET /secret/one',
    '1.1 PROPFIND /secret/two',
  ]);
  await raw('GET /secret/three HTTP/1.0\r\nHost: a\r\n\r\n');
  const metrics = await web.metrics();
  assert.deepEqual(served(metrics), { 'GET (none) 200': 4, '_OTHER (none) 200': 1 });
  assert.deepEqual(metrics.labels('http_server_request_duration_seconds_count', 'network_protocol_version'), [
    '1.0',
    '1.1',
  ]);
  assert.doesNotMatch(metrics.text, /secret|PROPFIND/);
  assert.equal(active(metrics), 0);
});

it('an upgraded connection is served as without the agent and leaves nothing in flight', async () => {
  const socket = connect(web.port, '127.0.0.1');
  socket.write(
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  let heard = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    heard += part;
  });
  while (!heard.includes('\r\n\r\n')) await once(socket, 'data');
  assert.match(heard, /101 Switching Protocols.*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/s);
  socket.write('echo');
  while (!heard.endsWith('echo')) await once(socket, 'data');
  assert.equal(active(await web.metrics()), 0);
  socket.end();
  await once(socket, 'close');
  assert.equal(active(await web.metrics()), 0);
});

it('https is told from http by the scheme', async () => {
  const sent = request({
    host: '127.0.0.1',
    port: ports[0],
    path: '/tls',
    rejectUnauthorized: false,
    agent: false,
  });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'close');
  const metrics = await web.metrics();
  assert.equal(metrics.count('http_server_request_duration_seconds', { url_scheme: 'https' }), 1);
});

it('HTTP/2 servers answer as without the agent, and one that speaks HTTP/1 too is measured on that', async () => {
  assert.equal(await overHttp2(`http://127.0.0.1:${ports[1]}`), '2.0 GET /two');
  assert.equal(await overHttp2(`https://127.0.0.1:${ports[2]}`), '2.0 GET /two');
  const before = (await web.metrics()).count('http_server_request_duration_seconds', { url_scheme: 'https' });
  const sent = request({
    host: '127.0.0.1',
    port: ports[2],
    path: '/one',
    rejectUnauthorized: false,
    agent: false,
  });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'close');
  const metrics = await web.metrics();
  assert.equal(metrics.count('http_server_request_duration_seconds', { url_scheme: 'https' }), before + 1);
  assert.equal(active(metrics), 0);
});

it('a request that its client aborts is seen, and as no longer in flight', async () => {
  const socket = connect(web.port, '127.0.0.1');
  socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await web.app.printed(/slow began/);
  assert.equal(active(await web.metrics()), 1);
  socket.destroy();
  await web.app.printed(/slow ended/);
  const metrics = await web.metrics();
  assert.equal(active(metrics), 0);
  assert.equal(served(metrics)['GET (none) client_aborted'], 1);
});
