import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type AdminApp, profilingApps, startAdminApp } from '../helpers/admin-app';
import { runApp, startApp } from '../helpers/app';
import { sendRaw } from '../helpers/raw-http';

let shop: AdminApp;
let port: number;
before(async () => {
  shop = await startAdminApp('known.js', { args: ['busy'] });
  port = Number(new URL(shop.url).port);
});
after(() => shop?.end());

const raw = (head: string, ...more: string[]) =>
  sendRaw(port, [head, `Host: 127.0.0.1:${port}`, 'Connection: close', ...more, '', ''].join('\r\n'));

test('a token is wanted off loopback, or the server stays off and says so once', async () => {
  const app = startApp(['-e', 'setTimeout(() => {}, 500)'], {
    env: {
      VITALS_ADMIN: 'true',
      VITALS_ADMIN_HOST: '0.0.0.0',
      VITALS_ADMIN_PORT: '0',
      OTEL_METRICS_EXPORTER: 'none',
    },
  });
  const { code, stderr } = await app.exit;
  assert.equal(code, 0);
  assert.equal(
    stderr,
    'otel-vitals warn: the admin server is off: VITALS_ADMIN_HOST=0.0.0.0 can be reached from elsewhere, and that needs VITALS_ADMIN_TOKEN\n',
  );
});

test('with a token nothing is answered without it, under whatever name the server is called', async () => {
  const app = await startAdminApp('known.js', {
    args: ['none'],
    env: { VITALS_ADMIN_HOST: '0.0.0.0', VITALS_ADMIN_TOKEN: 's3cret' },
  });
  try {
    const url = app.url.replace('0.0.0.0', '127.0.0.1');
    const paths = [
      '/',
      '/page.js',
      '/vitals/history',
      '/vitals.html',
      '/debug/pprof/',
      '/debug/pprof/cmdline',
      '/profiling/status',
      '/nowhere',
    ];
    for (const path of paths) {
      const response = await fetch(url + path, { redirect: 'manual' });
      assert.equal(response.status, 401, path);
      assert.match(response.headers.get('www-authenticate')!, /^Basic realm="otel-vitals", Bearer$/);
      assert.ok(!(await response.text()).includes('s3cret'));
    }
    // Chromium does not ask for a password where both stand in one header.
    const bare = await sendRaw(
      Number(new URL(url).port),
      'GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n',
    );
    assert.match(
      bare.text,
      /\r\nwww-authenticate: Basic realm="otel-vitals"\r\nwww-authenticate: Bearer\r\n/i,
    );
    for (const authorization of ['Bearer s3cret', `Basic ${btoa('pprof:s3cret')}`]) {
      const response = await fetch(`${url}/debug/pprof/cmdline`, { headers: { authorization } });
      assert.equal(response.status, 200);
    }
    const named = await sendRaw(
      Number(new URL(url).port),
      'GET /debug/pprof/cmdline HTTP/1.1\r\nHost: shop.prod.svc\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n',
    );
    assert.equal(named.status, 200);
    assert.ok(!app.app.stderr().includes('s3cret'));
  } finally {
    await app.end();
  }
});

test('a busy port costs one warning and the server, not the application', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => taken.once('listening', resolve));
  const { port: busy } = taken.address() as AddressInfo;
  const app = startApp(['-e', 'setTimeout(() => console.log("done"), 700)'], {
    env: {
      VITALS_ADMIN: 'true',
      VITALS_ADMIN_PORT: String(busy),
      OTEL_METRICS_EXPORTER: 'none',
      // A busy machine's stalls would be said too.
      VITALS_STALL_MS: '60000',
    },
  });
  const { code, stdout, stderr } = await app.exit;
  taken.close();
  assert.deepEqual([code, stdout], [0, 'done\n']);
  assert.match(
    stderr,
    /^otel-vitals warn: the admin server is off: 127\.0\.0\.1:\d+ is not to be had \(.*EADDRINUSE.*\n$/,
  );
});

test('a name that was made to resolve to this machine is turned away', async () => {
  const { status, text } = await sendRaw(
    port,
    'GET /debug/pprof/cmdline HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  );
  assert.equal(status, 403);
  assert.ok(!text.includes('known.js'));
});

test('reading is GET and HEAD, changing is POST, and 405 says which', async () => {
  for (const path of [
    '/debug/pprof/',
    '/debug/pprof/profile',
    '/debug/pprof/heap',
    '/profiling/status',
    '/profiling/captures',
    '/',
    '/page.js',
    '/vitals/history',
    '/vitals.html',
  ]) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const response = await shop.get(path, { method });
      assert.deepEqual(
        [response.status, response.headers.get('allow')],
        [405, 'GET, HEAD'],
        `${method} ${path}`,
      );
    }
  }
  for (const path of ['/profiling/start?type=cpu', '/profiling/stop']) {
    for (const method of ['GET', 'HEAD', 'PUT']) {
      const response = await shop.get(path, { method });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'], `${method} ${path}`);
    }
  }
  const { running } = await shop.json<{ running: unknown[] }>('/profiling/status');
  assert.deepEqual(running, []);
});

test('HEAD has the headers of GET and no body, and takes no capture', async () => {
  for (const path of ['/', '/debug/pprof/', '/debug/pprof/cmdline', '/profiling/status', '/vitals/history']) {
    const response = await shop.get(path, { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.ok(Number(response.headers.get('content-length')) > 0, path);
    assert.equal(await response.text(), '');
  }
  const begin = performance.now();
  assert.equal((await shop.get('/debug/pprof/profile?seconds=30', { method: 'HEAD' })).status, 200);
  assert.ok(performance.now() - begin < 5000);
});

test('a page of another site can neither start a capture nor read one', async () => {
  const cross = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
  for (const [path, method] of [
    ['/profiling/start?type=cpu', 'POST'],
    ['/profiling/stop', 'POST'],
    ['/debug/pprof/profile?seconds=1', 'GET'],
    ['/debug/pprof/heap?gc=1', 'GET'],
    ['/profiling/status', 'GET'],
  ] as const) {
    const headers = Object.entries(cross).map(([name, value]) => `${name}: ${value}`);
    assert.equal((await raw(`${method} ${path} HTTP/1.1`, ...headers)).status, 403, path);
  }
  const origin = await raw('POST /profiling/start?type=cpu HTTP/1.1', 'Origin: https://evil.example');
  assert.equal(origin.status, 403);
  const own = await raw('POST /profiling/start?type=cpu&duration=50ms HTTP/1.1', `Origin: ${shop.url}`);
  assert.equal(own.status, 202);
});

test('no answer is kept, framed, sniffed or read by other sites', async () => {
  for (const path of ['/debug/pprof/', '/debug/pprof/cmdline', '/profiling/status', '/nowhere']) {
    const { headers } = await shop.get(path);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.match(headers.get('content-security-policy')!, /^default-src 'none'/);
  }
});

test('bad values get 400 with the value and what was expected, as text to pprof and as JSON to others', async () => {
  const bad = async (path: string, method = 'GET') => {
    const response = await shop.get(path, { method });
    assert.equal(response.status, 400, path);
    return response;
  };
  const pprof = await bad('/debug/pprof/profile?seconds=abc');
  assert.equal(pprof.headers.get('x-go-pprof'), '1');
  assert.equal(await pprof.text(), 'seconds: expected a whole number from 1 to 300, got "abc"\n');
  const start = await bad('/profiling/start?type=cpu&duration=1y', 'POST');
  assert.deepEqual(await start.json(), {
    error: {
      code: 'BAD_REQUEST',
      message: 'duration: expected a duration such as 30s, 1m30s or 500ms, above 0 and at most 5m, got "1y"',
    },
  });
  for (const path of [
    'heap?debug=9',
    'heap?seconds=1&debug=1',
    'heap?gc=maybe',
    'trace?seconds=-1',
    'block?seconds=1.5',
  ]) {
    await bad(`/debug/pprof/${path}`);
  }
  for (const query of [
    '',
    'type=wall',
    'type=cpu&duration=6m',
    'type=cpu&duration=0',
    'type=cpu&gc=1',
    'type=heap&gc=2',
  ]) {
    await bad(`/profiling/start?${query}`, 'POST');
  }
});

/** Requests that nobody with good intentions makes, each with the answers that are clear enough. */
const hostile: readonly (readonly [
  description: string,
  ask: () => Promise<{ status: number }>,
  ...expected: number[],
])[] = [
  ['a method of nobody', () => raw('FROB /debug/pprof/ HTTP/1.1'), 400],
  ['a connection through', () => raw('CONNECT evil.example:443 HTTP/1.1'), 405],
  ['TRACE', () => raw('TRACE /debug/pprof/ HTTP/1.1'), 405],
  ['a proxy request', () => raw('GET http://evil.example/ HTTP/1.1'), 404],
  ['no path', () => raw('OPTIONS * HTTP/1.1'), 404, 405],
  ['path traversal', () => raw('GET /profiling/captures/../../../../etc/passwd HTTP/1.1'), 404],
  ['encoded path traversal', () => raw('GET /profiling/captures/..%2f..%2fetc%2fpasswd HTTP/1.1'), 404],
  ['a zero byte', () => raw('GET /profiling/captures/cpu%00.json HTTP/1.1'), 404],
  ['the prototype', () => raw('GET /__proto__ HTTP/1.1'), 404],
  ['a constructor', () => raw('GET /profiling/captures/constructor HTTP/1.1'), 404],
  ['a pattern for a path', () => raw('GET /profiling/captures/* HTTP/1.1'), 404],
  ['an endless duration', () => raw('POST /profiling/start?type=cpu&duration=9999999999h HTTP/1.1'), 400],
  ['a negative duration', () => raw('POST /profiling/start?type=cpu&duration=-1s HTTP/1.1'), 400],
  [
    'seconds past all numbers',
    () => raw(`GET /debug/pprof/profile?seconds=${'9'.repeat(400)} HTTP/1.1`),
    400,
  ],
  ['seconds that are none', () => raw('GET /debug/pprof/profile?seconds=NaN HTTP/1.1'), 400],
  ['a sample that is none', () => raw('GET /vitals/history?after=-1 HTTP/1.1'), 400],
  ['a flame graph of a path', () => raw('GET /profiling/flame/..%2F..%2Fetc%2Fpasswd HTTP/1.1'), 404],
  ['a type with markup', () => raw('POST /profiling/start?type=%3Cscript%3E HTTP/1.1'), 400],
  ['a head without end', () => raw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`), 431],
  ['many headers', () => raw(`GET / HTTP/1.1${'\r\nX: y'.repeat(3000)}`), 431, 400],
  ['no Host', () => sendRaw(port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), 400],
  ['two Hosts', () => raw('GET / HTTP/1.1', 'Host: evil.example'), 400, 200],
  ['a large body', () => raw('POST /profiling/start?type=cpu HTTP/1.1', 'Content-Length: 999999999'), 413],
  ['two lengths', () => raw('POST /profiling/stop HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'), 400],
  [
    'smuggling',
    () => raw('POST /profiling/stop HTTP/1.1', 'Content-Length: 3', 'Transfer-Encoding: chunked'),
    400,
  ],
  ['an expectation', () => raw('POST /profiling/stop HTTP/1.1', 'Expect: the-unexpected'), 417],
  ['what is no HTTP', () => sendRaw(port, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'), 400],
  ['HTTP/2 without asking', () => sendRaw(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 400, 505],
];

test('200 hostile requests get clear answers, and leave no handle, no capture and no harm behind', async () => {
  const descriptors = () => readdirSync(`/proc/${shop.app.pid}/fd`).length;
  await shop.json('/profiling/status');
  const before = descriptors();
  let count = 0;

  for (let round = 0; round < 3; round++) {
    for (const [description, ask, ...expected] of hostile) {
      const { status } = await ask();
      assert.ok(expected.includes(status), `${description}: ${status}, expected ${expected.join(' or ')}`);
      count++;
    }
  }
  const slow = Array.from({ length: 10 }, (_, i) =>
    i % 2 === 0
      ? sendRaw(
          port,
          `POST /profiling/stop?type=heap HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 500\r\n\r\n`,
          {
            rest: 'x'.repeat(500),
            ms: 200,
          },
        )
      : sendRaw(port, 'GET /profiling/sta', { rest: 't'.repeat(500), ms: 200 }),
  );
  const parallel = Array.from({ length: 100 }, () => shop.get('/debug/pprof/profile?seconds=1'));
  const statuses = (await Promise.all(parallel)).map(({ status }) => status).sort();
  assert.deepEqual([statuses[0], new Set(statuses.slice(1))], [200, new Set([409])]);
  count += parallel.length;
  const gone = Array.from({ length: 20 }, async () => {
    const controller = new AbortController();
    const asked = shop
      .get('/debug/pprof/trace?seconds=300', { signal: controller.signal })
      .catch(() => undefined);
    await new Promise(resolve => setTimeout(resolve, 20));
    controller.abort();
    await asked;
  });
  await Promise.all(gone);
  count += gone.length;
  for (const { status } of await Promise.all(slow))
    assert.ok([404, 400, 408].includes(status), `slow: ${status}`);
  count += slow.length;
  assert.ok(count >= 200, String(count));

  const giveUp = Date.now() + 20_000;
  let status = await shop.json<{ running: unknown[] }>('/profiling/status');
  while ((status.running.length > 0 || descriptors() > before + 2) && Date.now() < giveUp) {
    await new Promise(resolve => setTimeout(resolve, 200));
    status = await shop.json('/profiling/status');
  }
  assert.deepEqual(status.running, []);
  assert.ok(descriptors() <= before + 2, `${descriptors()} descriptors, ${before} before`);
  assert.equal((await shop.get('/debug/pprof/profile?seconds=1')).status, 200, 'captures are taken as ever');
  const said = shop.app.stderr().trim().split('\n');
  // A busy machine's stalls are said too.
  const others = said.filter(line => !/event loop was blocked|finding event_loop_stall/.test(line));
  assert.equal(others.length, 1, shop.app.stderr());
});

test('nothing of profiling is loaded while the admin server is off', async () => {
  const loaded = async (env: Record<string, string>) => {
    const script = 'console.log(Object.keys(require.cache).filter(file => /profiling/.test(file)).length)';
    return Number((await runApp(['-e', script], { env: { OTEL_METRICS_EXPORTER: 'none', ...env } })).stdout);
  };
  assert.equal(await loaded({}), 0);
  assert.equal(await loaded({ VITALS_ADMIN: 'true', VITALS_ADMIN_PORT: '0' }), 1);
});

test('an application that ends is not kept by the server, its worker or a capture', async () => {
  const app = await startAdminApp(`${profilingApps}/brief.js`);
  const capture = app.get('/debug/pprof/profile?seconds=300').catch(() => undefined);
  const { code, ms } = await app.app.exit;
  await capture;
  assert.equal(code, 0);
  assert.ok(ms < 10_000, String(ms));
});
