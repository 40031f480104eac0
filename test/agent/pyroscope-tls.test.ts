import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { folderWith } from '../helpers/app';
import { selfSigned } from '../helpers/certificate';
import { startFixture } from '../helpers/pyroscope-app';

const { key, cert } = selfSigned();
const files = folderWith({ 'ca.pem': cert });
const uploads: { authorization: string | undefined; body: Buffer }[] = [];
const server = createServer({ key, cert }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', chunk => chunks.push(chunk));
  request.on('end', () => {
    uploads.push({ authorization: request.headers.authorization, body: Buffer.concat(chunks) });
    response.end('taken');
  });
});
before(() => once(server.listen(0, '127.0.0.1'), 'listening'));
after(() => server.close());

const run = (env: Record<string, string>) =>
  startFixture('compute.js', {
    env: {
      OTEL_METRICS_EXPORTER: 'none',
      PYROSCOPE_SERVER_ADDRESS: `https://localhost:${(server.address() as AddressInfo).port}`,
      PYROSCOPE_AUTH_TOKEN: 'secret',
      ...env,
    },
  }).exited;

test('profiles go to an https server whose certificate is trusted', async () => {
  const { code, stderr } = await run({ NODE_EXTRA_CA_CERTS: files.path('ca.pem') });
  assert.deepEqual([code, stderr, uploads.length], [0, '', 2]);
  for (const { authorization, body } of uploads) {
    assert.equal(authorization, 'Bearer secret');
    assert.ok(Profile.decode(gunzipSync(body)).sampleType.length > 0);
  }
});

test('nothing is sent to an https server whose certificate is not', async () => {
  uploads.length = 0;
  const { code, stderr } = await run({});
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^otel-vitals warn: Pyroscope at .* did not get a (wall|heap) profile: self-signed certificate.*\(DEPTH_ZERO_SELF_SIGNED_CERT\)\n$/,
  );
  assert.deepEqual(uploads, []);
});
