import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type AppOptions, type Exit, folderWith, runApp, startApp } from '../helpers/app';
import { badEnvironment, optionTable } from '../helpers/bad-values';
import { Samples, samplesFrom } from '../helpers/samples';

const files = folderWith({
  'package.json': '{"name": "shop-front", "version": "3.2.1"}',
  'prints.js': 'console.log("ran")',
  // Shows what the agent runs with, without a port that a test would have to find.
  'shows.js': `
    const http = require('node:http');
    const agent = globalThis[Symbol.for('otel-vitals.agent')];
    agent.prometheus.then(async endpoint => {
      if (endpoint === undefined) return console.log('no endpoint');
      // The first delays of the event loop are known after two samples.
      await new Promise(resolve => setTimeout(resolve, 60));
      const text = await (await fetch(endpoint.url)).text();
      console.log(JSON.stringify({ ...endpoint, text }));
    });`,
  'server.js': `
    require('node:http').createServer((q, r) => r.end('hello')).listen(0, '127.0.0.1', function () {
      console.log('listening on ' + this.address().port);
    });`,
});

const warnings = (exit: Exit): string[] =>
  exit.stderr.split('\n').filter(line => line.startsWith('otel-vitals warn: bad configuration'));

/** Runs the script that shows its own metrics. */
async function shown(
  env: Record<string, string | undefined>,
  options: AppOptions = {},
): Promise<{ host: string; port: number; samples: Samples; exit: Exit }> {
  const exit = await runApp(files.path('shows.js'), { env, ...options });
  assert.equal(exit.code, 0, exit.stderr);
  const { host, port, text } = JSON.parse(exit.stdout) as { host: string; port: number; text: string };
  return { host, port, samples: new Samples(text), exit };
}

describe('configuration', { concurrency: 3 }, () => {
  test('bad values of every option are named in one warning, with what was expected, and the application runs', async () => {
    const exit = await runApp(files.path('prints.js'), { env: badEnvironment() });
    assert.deepEqual([exit.code, exit.stdout], [0, 'ran\n']);
    const [warning, ...more] = warnings(exit);
    assert.deepEqual(more, []);
    for (const [, option] of optionTable) {
      const problem = new RegExp(`${option.env}: expected [^;]+, got ([^;]+)(?:;|$)`).exec(warning!);
      assert.ok(problem, `${option.env} is not in ${warning}`);
      assert.equal(problem[1] === '[redacted]', option.secret === true, problem[0]);
    }
    // The port is then the default one, which this machine may or may not have free.
    const others = exit.stderr.split('\n').filter(line => line !== '' && line !== warning);
    assert.deepEqual(
      others.filter(line => !line.includes('127.0.0.1:9464')),
      [],
      exit.stderr,
    );
  });

  test('bad values leave the metrics as they are without them', async () => {
    const { host, samples, exit } = await shown({ ...badEnvironment(), OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
    assert.equal(warnings(exit).length, 1, exit.stderr);
    assert.equal(host, '127.0.0.1');
    assert.equal(samples.value('vitals_self_warnings_total'), 1);
    assert.deepEqual(samples.labels('target_info', 'service_name'), ['shop-front']);
    assert.equal(samples.labels('target_info', 'process_pid').length, 1);
    const { samples: without } = await shown({});
    const names = (of: Samples): string[] => [...new Set(of.all.map(({ name }) => name))].sort();
    // Whether the runtime collected garbage until the scrape is chance.
    const steady = (of: Samples): string[] => names(of).filter(name => !/_gc_|_heap_live/.test(name));
    assert.deepEqual(steady(samples), steady(without));
  });

  test('variables that are empty or blank count as not set', async () => {
    const env = Object.fromEntries(optionTable.map(([, { env }], i) => [env, i % 2 === 0 ? '' : ' \t']));
    const exit = await runApp(files.path('prints.js'), {
      env: { ...env, OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
    });
    assert.equal(exit.stdout, 'ran\n');
    assert.match(exit.stderr, /^(otel-vitals info: metrics are served at \S+\n)?$/);
  });

  test('the start line shows what was set, and no secret', async () => {
    const exit = await runApp(files.path('prints.js'), {
      env: {
        OTEL_LOG_LEVEL: 'info',
        OTEL_SERVICE_NAME: 'checkout',
        VITALS_SHUTDOWN_TIMEOUT_MS: '100',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=s3cret-header',
        PYROSCOPE_AUTH_TOKEN: 's3cret-token',
        PYROSCOPE_BASIC_AUTH_PASSWORD: 's3cret-password',
        PYROSCOPE_SERVER_ADDRESS: 'http://me:s3cret-in-url@127.0.0.1:9',
      },
    });
    const line = /^otel-vitals info: version \d.*started in .*$/m.exec(exit.stderr)?.[0];
    assert.ok(line?.includes('OTEL_SERVICE_NAME="checkout"'), exit.stderr);
    assert.match(line!, /PYROSCOPE_SERVER_ADDRESS="http:\/\/\[redacted\]@127\.0\.0\.1:9"/);
    assert.match(line!, /PYROSCOPE_AUTH_TOKEN=\[redacted\]/);
    assert.ok(!exit.stderr.includes('s3cret'), exit.stderr);
  });

  test('no secret shows in the metrics or at the most talkative level', async () => {
    const { samples, exit } = await shown({
      OTEL_LOG_LEVEL: 'all',
      PYROSCOPE_AUTH_TOKEN: 's3cret-token',
      PYROSCOPE_SERVER_ADDRESS: 'http://me:s3cret-in-url@127.0.0.1:9',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:s3cret-in-url@127.0.0.1:9',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=s3cret-header',
      VITALS_SHUTDOWN_TIMEOUT_MS: '300',
    });
    assert.ok(!samples.text.includes('s3cret'));
    assert.ok(!exit.stderr.includes('s3cret'), exit.stderr);
  });

  test('the service is named by package.json, over it by the attributes, over all by OTEL_SERVICE_NAME', async () => {
    const named = async (env: Record<string, string>): Promise<string[]> => {
      const { samples } = await shown(env);
      return ['service_name', 'service_version', 'team'].map(
        label => samples.labels('target_info', label)[0] ?? '',
      );
    };
    const attributes = 'service.name=from-attributes,service.version=9,team=pay%2Cments';
    assert.deepEqual(await named({}), ['shop-front', '3.2.1', '']);
    assert.deepEqual(await named({ OTEL_RESOURCE_ATTRIBUTES: attributes }), [
      'from-attributes',
      '9',
      'pay,ments',
    ]);
    assert.deepEqual(await named({ OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: 'from-name' }), [
      'from-name',
      '9',
      'pay,ments',
    ]);
    assert.deepEqual(
      await named({ OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_NODE_RESOURCE_DETECTORS: 'none' }),
      ['shop-front', '3.2.1', ''],
    );
  });

  test('arguments of the command line, which may hold credentials, are in no attribute', async () => {
    const { samples } = await shown({}, { args: ['--password=s3cret'] });
    assert.ok(!samples.text.includes('s3cret'));
    assert.equal(samples.of('target_info').length, 1);
  });

  test('detectors that are not named are not used', async () => {
    const { samples } = await shown({ OTEL_NODE_RESOURCE_DETECTORS: 'os' });
    const { labels } = samples.of('target_info')[0]!;
    assert.equal(labels['os_type'], process.platform);
    for (const label of ['host_name', 'process_pid', 'container_id', 'service_instance_id']) {
      assert.equal(labels[label], undefined, label);
    }
  });

  test('only meters that are enabled show series', async () => {
    const { samples } = await shown({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'gc,self' });
    const names = new Set(samples.all.map(({ name }) => name));
    assert.ok(names.has('vitals_build_info'));
    for (const name of names)
      assert.match(name, /^(target_info$|vitals_self_|vitals_build_info|v8js_gc_|vitals_gc_)/);
  });

  test('each meter can be left out, and the others stay', async () => {
    const families = {
      process: 'process_memory_usage_bytes',
      heap: 'v8js_memory_heap_used_bytes',
      gc: 'v8js_gc_duration_seconds_count',
      'event-loop': 'nodejs_eventloop_utilization_ratio',
      threads: 'vitals_worker_thread_count',
      self: 'vitals_build_info',
    };
    const collects = { nodeArgs: ['--expose-gc', ...['--require', `${__dirname}/../../instrumentation`]] };
    const script = folderWith({
      'collects.js': `gc(); gc(); setTimeout(() => require(${JSON.stringify(files.path('shows.js'))}), 50);`,
    }).path('collects.js');
    for (const left of Object.keys(families)) {
      const exit = await runApp(script, { env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: left }, ...collects });
      const samples = new Samples((JSON.parse(exit.stdout) as { text: string }).text);
      for (const [meter, name] of Object.entries(families)) {
        assert.equal(samples.of(name).length > 0, meter !== left, `${name} without ${left}`);
      }
    }
  });

  test('OTEL_METRICS_EXPORTER=none opens no port and keeps nothing alive', async () => {
    const exit = await runApp(files.path('shows.js'), { env: { OTEL_METRICS_EXPORTER: 'none' } });
    assert.deepEqual([exit.code, exit.stdout, exit.stderr], [0, 'no endpoint\n', '']);
  });

  test('OTEL_LOG_LEVEL=none says nothing at all', async () => {
    const exit = await runApp(files.path('prints.js'), {
      env: {
        OTEL_LOG_LEVEL: 'none',
        OTEL_METRICS_EXPORTER: 'nonsense',
        OTEL_EXPORTER_PROMETHEUS_HOST: '192.0.2.1',
      },
    });
    assert.deepEqual([exit.code, exit.stdout, exit.stderr], [0, 'ran\n', '']);
  });

  test('OTEL_EXPORTER_PROMETHEUS_HOST takes IPv6, and the port that was asked for', async () => {
    const { host, port } = await shown({ OTEL_EXPORTER_PROMETHEUS_HOST: '[::1]' });
    assert.equal(host, '::1');
    const again = await shown({
      OTEL_EXPORTER_PROMETHEUS_HOST: '::1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    });
    assert.equal(again.port, port);
    assert.equal(again.exit.stderr, '', 'a port that was asked for needs no word');
  });

  test('metrics on the console come out while a script runs and when it ends', async () => {
    const script = folderWith({ 'app.js': 'setTimeout(() => {}, 400)' });
    const exit = await runApp(script.path('app.js'), {
      env: { OTEL_METRICS_EXPORTER: 'console', OTEL_METRIC_EXPORT_INTERVAL: '100' },
    });
    assert.equal(exit.code, 0, exit.stderr);
    assert.ok((exit.stdout.match(/name: 'process\.uptime'/g)?.length ?? 0) >= 2, exit.stdout.slice(0, 500));
  });

  test('who reads the console and goes away does not end the application', async () => {
    const script = folderWith({
      'app.js': 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(7));',
    });
    const app = startApp(script.path('app.js'), {
      env: {
        OTEL_METRICS_EXPORTER: 'console',
        OTEL_METRIC_EXPORT_INTERVAL: '100',
        OTEL_METRIC_EXPORT_TIMEOUT: '100',
      },
    });
    await app.printed(/name: 'process\.uptime'/);
    app.process.stdout!.destroy();
    // Several exports find nobody.
    await delay(500);
    app.kill('SIGTERM');
    const exit = await app.exit;
    assert.equal(exit.code, 7, exit.stderr);
  });

  test('a limit on series holds for every metric, and what is past it is counted under overflow', async () => {
    const app = startApp(files.path('server.js'), { env: { VITALS_CARDINALITY_LIMIT: '10' } });
    const [, port] = await app.printed(/listening on (\d+)/);
    const url = await app.metricsUrl();
    for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      await (await fetch(`http://127.0.0.1:${port}/`, { method })).text();
    }
    const samples = await samplesFrom(url);
    const heap = samples.of('v8js_memory_heap_space_size_bytes');
    assert.ok(heap.length <= 10, String(heap.length));
    app.kill('SIGTERM');
    await app.exit;
  });
});
