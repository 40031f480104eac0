import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort } from '../../mall/demo/servers/port';
import type { DemoRun } from '../helpers/demo';
import { startDemo } from '../helpers/demo';

const direct = [process.execPath, '--import', 'tsx', 'mall/demo/run.ts'];
/** Long enough for a loaded machine; what does not end at all is still there after it. */
const endsWithinMs = 15_000;

/** The summary's figures, by their names. */
function summary(run: DemoRun): Map<string, string> {
  const [, text = ''] = run.stdout().split('\nVital signs of the shop over ');
  const rows = text.split('\n').flatMap(line => /^ {2}(\S.*?) {2,}(.+)$/.exec(line)?.slice(1, 3) ?? []);
  return new Map(rows.flatMap((name, index) => (index % 2 ? [] : [[name, rows[index + 1]!] as const])));
}

function numbers(text: string | undefined): number[] {
  return [...(text ?? '').matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([number]) =>
    Number(number.replaceAll(',', '')),
  );
}

async function ended(run: DemoRun, code: number): Promise<void> {
  const exit = await run.exit;
  assert.equal(exit.code, code, `${exit.signal}\n${run.stdout()}\n${run.stderr()}`);
  // At once: what was started is gone before the demo is.
  assert.deepEqual(run.remains(), []);
}

test('npm run demo -- --duration: addresses, a live line, a summary of sensible figures, exit code 0, nothing left', async () => {
  const run = startDemo({ args: ['--duration', '7'] });
  const [, shop] = await run.printed(/^shop {8}(http:\S+)/m);
  const [, metrics] = await run.printed(/^metrics {5}(http:\S+)/m);
  await run.printed(/^load /m);
  assert.equal((await fetch(`${shop}/products/1`)).status, 200);
  assert.match(await (await fetch(metrics!)).text(), /^target_info\{.*service_name="mall"/m);
  const [, admin] = await run.printed(/^admin {7}(http:\S+)/m);
  assert.match(await (await fetch(`${admin}/debug/pprof/cmdline`)).text(), /dist\/mall\/main\.js/);
  // The demo, PostgreSQL, Redis, the shop, and npm and its shell.
  assert.ok(run.remains().length >= 6, run.remains().join('\n'));
  await ended(run, 0);
  // What is quick elsewhere blocks the event loop of a machine that has other work.
  assert.equal(run.stderr().replace(/^otel-vitals info: the event loop was blocked .*\n/gm, ''), '');
  assert.match(
    run.stdout(),
    /^PostgreSQL {2}postgres:\/\/postgres:\*\*\*@127\.0\.0\.1:\d+\/postgres \(embedded\)$/m,
  );
  assert.match(run.stdout(), /^Redis {7}redis:\/\/127\.0\.0\.1:\d+ \(process \d+\)$/m);
  assert.match(
    run.stdout(),
    /^\d+ req\/s {2}p99 [\d.]+ ms {2}errors 0 {2}heap \d+ MiB {2}gc .* cache [\d.]+ %$/m,
  );
  assert.ok(!run.stdout().includes('\u001b'));

  const rows = summary(run);
  const names = [
    'requests',
    'p50',
    'p99',
    'errors',
    'heap',
    'GC pauses',
    'event-loop delay',
    'database pool',
    'cache hits',
  ];
  assert.deepEqual([...rows.keys()], names);
  const [requests, perSecond] = numbers(rows.get('requests'));
  assert.ok(requests! >= 7 * 40 && requests! <= 8 * 70, rows.get('requests'));
  assert.ok(perSecond! > 40 && perSecond! < 70, rows.get('requests'));
  const [p50] = numbers(rows.get('p50'));
  const [p99] = numbers(rows.get('p99'));
  assert.ok(p50! > 0 && p50! < p99!, `${rows.get('p50')} ${rows.get('p99')}`);
  assert.equal(rows.get('errors'), '0 (0.0 %)');
  const [heap, peak, limit] = numbers(rows.get('heap'));
  assert.ok(heap! > 5 && heap! <= peak! && peak! < limit!, rows.get('heap'));
  assert.match(rows.get('GC pauses')!, /^\d+, p99 [\d.]+ m?s, [\d.]+ m?s in all$/);
  assert.match(rows.get('event-loop delay')!, /^p50 [\d.]+ ms, p99 [\d.]+ ms$/);
  const [open, most, inUse] = numbers(rows.get('database pool'));
  assert.ok(
    open! >= 1 && open! <= most! && inUse! > 0 && inUse! < open! && most === 10,
    rows.get('database pool'),
  );
  const [share, , memory, redis] = numbers(rows.get('cache hits'));
  assert.ok(share! > 10 && share! < 100 && memory! > 0 && redis! >= 0, rows.get('cache hits'));
});

test('Ctrl-C in a terminal ends everything and shows the summary; the live line is rewritten in place', async () => {
  // `script` gives the demo a terminal, whose Ctrl-C reaches npm, its shell and the demo at once.
  const run = startDemo({ command: ['script', '-qefc', 'npm run demo', '/dev/null'] });
  await run.printed(/\[K\d+ req\/s/);
  assert.match(run.stdout(), /\r.\[K\d+ req\/s/);
  run.type('\u0003');
  // The demo ends with 0; npm's shell, which got the same Ctrl-C, may say 130 of itself.
  const { code } = await run.exit;
  assert.ok(code === 0 || code === 130, `${code}`);
  assert.deepEqual(run.remains(), []);
  assert.match(run.stdout(), /Vital signs of the shop over [\d.]+ s/);
});

test('Ctrl-C while the servers start leaves nothing, and the exit code says so', async () => {
  for (const moment of [/./, /^PostgreSQL/m, /^Redis/m]) {
    const run = startDemo({ command: direct });
    await (moment.source === '.' ? untilFolder(run) : run.printed(moment));
    run.signalGroup('SIGINT');
    assert.equal((await run.exit).code, 130, run.stderr());
    // What initdb had just started is killed with it, but by nobody waited for.
    assert.deepEqual(await run.remainsAfter(1000), []);
  }
});

/** The first file of PostgreSQL is there, the server is not. */
async function untilFolder(run: DemoRun): Promise<void> {
  while (!run.remains().some(one => one.startsWith('vitals-')))
    await new Promise(resolve => setTimeout(resolve, 5));
}

test('a SIGTERM ends a demo of fixed duration in order, with the exit code of the signal', async () => {
  const run = startDemo({ command: direct, args: ['--duration', '60'] });
  await run.printed(/^load /m);
  process.kill(run.pid, 'SIGTERM');
  await ended(run, 143);
});

for (const [victim, command] of [
  ['the demo', direct],
  ['npm, which cannot pass it on,', undefined],
] as const) {
  test(`a SIGKILL of ${victim} leaves nothing behind`, async () => {
    const run = startDemo(command ? { command } : {});
    await run.printed(/^load /m);
    process.kill(run.pid, 'SIGKILL');
    assert.deepEqual(await run.remainsAfter(endsWithinMs), []);
  });
}

test('a SIGKILL while PostgreSQL is set up leaves nothing behind', async () => {
  const run = startDemo({ command: direct });
  await untilFolder(run);
  process.kill(run.pid, 'SIGKILL');
  assert.deepEqual(await run.remainsAfter(endsWithinMs), []);
});

test('two demos at once that want the same ports both run, each with its own metrics', async () => {
  const env = {
    PORT: `${await freePort()}`,
    OTEL_EXPORTER_PROMETHEUS_PORT: `${await freePort()}`,
    VITALS_ADMIN_PORT: `${await freePort()}`,
  };
  const runs = [1, 2].map(() => startDemo({ command: direct, args: ['--duration', '2'], env }));
  await Promise.all(runs.map(run => ended(run, 0)));
  const addresses = runs.flatMap(run => run.stdout().match(/^(?:shop|metrics|admin) +\S+/gm));
  assert.equal(new Set(addresses).size, 6, addresses.join('\n'));
  for (const run of runs) {
    assert.ok(numbers(summary(run).get('requests'))[0]! >= 60, run.stdout());
    assert.equal(summary(run).get('errors'), '0 (0.0 %)');
  }
});

test('a taken port is said to be taken, and a free one is used', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as { port: number };
  try {
    const run = startDemo({
      command: direct,
      args: ['--duration', '1'],
      env: { PORT: `${port}`, OTEL_EXPORTER_PROMETHEUS_PORT: `${port}`, VITALS_ADMIN: 'false' },
    });
    await ended(run, 0);
    assert.doesNotMatch(run.stdout(), /admin/);
    assert.match(
      run.stdout(),
      new RegExp(`^port ${port} is taken, using a free one \\(PORT chooses\\)$`, 'm'),
    );
    assert.match(run.stdout(), new RegExp(`^port ${port} is taken.*OTEL_EXPORTER_PROMETHEUS_PORT`, 'm'));
    assert.ok(numbers(summary(run).get('requests'))[0]! > 0);
  } finally {
    squatter.close();
  }
});

test('a reader of the output that goes away ends the demo', async () => {
  const run = startDemo({ command: ['sh', '-c', `${direct.join(' ')} | head -n 1`] });
  await run.exit;
  assert.match(run.stdout(), /^PostgreSQL .*\n$/);
  assert.deepEqual(await run.remainsAfter(endsWithinMs), []);
});
