import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuleName } from '../../instrumentation/names';
import { ruleNames } from '../../instrumentation/names';
import type { CaptureRecord } from '../../instrumentation/profiling/capture';
import { type App, folderWith, repository, runApp, startApp } from '../helpers/app';
import { startIngestServer } from '../helpers/ingest-server';
import { decodePprof } from '../helpers/pprof';
import { type Samples, samplesFrom } from '../helpers/samples';

const script = join(repository, 'test/fixtures/apps/use-autoprofile/faulty.js');
const triggers = 'vitals_autoprofile_triggers_total';
/** Milliseconds between two readings, which a busy machine stretches. */
const intervalMs = 500;

interface Faulty {
  readonly app: App;
  readonly folder: string;
  readonly metrics: string;
  /** Lets its fault begin. */
  fault(): Promise<void>;
  /** Waits for captures to be counted, and gives the metrics. */
  captured(rule: RuleName): Promise<Samples>;
  records(): CaptureRecord[];
  end(): Promise<void>;
}

const apps = new Set<App>();
after(async () => {
  for (const app of apps) {
    app.kill('SIGKILL');
    await app.exit;
  }
});

async function startFaulty(fault: RuleName | 'steady', env: Record<string, string> = {}): Promise<Faulty> {
  const { dir } = folderWith({});
  const folder = env['VITALS_CAPTURE_DIR'] ?? dir;
  const app = startApp(script, {
    args: [fault],
    timeoutMs: 120_000,
    env: {
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'service.version=1.2.3',
      VITALS_AUTOPROFILE: 'true',
      VITALS_AUTOPROFILE_INTERVAL_MS: String(intervalMs),
      VITALS_AUTOPROFILE_WARMUP_MS: '4500',
      VITALS_AUTOPROFILE_DURATION_MS: '1000',
      VITALS_CAPTURE_DIR: folder,
      ...env,
    },
  });
  apps.add(app);
  const metrics = await app.metricsUrl();
  const [, url] = await app.printed(/ready (\S+)/);
  const readyAt = performance.now();
  return {
    app,
    folder,
    metrics,
    async fault() {
      // The warm-up, and some readings of what is usual.
      await sleep(Math.max(0, 5500 - (performance.now() - readyAt)));
      await fetch(`${url}/fault`);
    },
    async captured(rule) {
      for (;;) {
        const samples = await samplesFrom(metrics);
        const labels = { vitals_autoprofile_rule: rule };
        const outcomes = ['captured', 'failed'].map(
          outcome => samples.value(triggers, { ...labels, vitals_autoprofile_outcome: outcome }) ?? 0,
        );
        if (outcomes.some(count => count > 0)) return samples;
        await sleep(200);
      }
    },
    records: () =>
      readdirSync(folder)
        .filter(name => name.endsWith('.json') && !name.endsWith('.trace.json'))
        .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CaptureRecord)
        .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt)),
    async end() {
      assert.deepEqual([app.process.exitCode, app.process.signalCode], [null, null], app.stderr());
      app.kill('SIGKILL');
      await app.exit;
      apps.delete(app);
    },
  };
}

/** How often each rule had a capture taken. */
const captures = (samples: Samples): Record<string, number> =>
  Object.fromEntries(
    samples
      .of(triggers, { vitals_autoprofile_outcome: 'captured' })
      .map(({ labels, value }) => [labels['vitals_autoprofile_rule']!, value]),
  );

/** What a fault's captures are, which function its profile names first, and by which type. */
const faults: Readonly<
  Record<
    RuleName,
    { kinds: readonly string[]; type?: string; culprit?: RegExp; env?: Record<string, string> }
  >
> = {
  stall: { kinds: ['block'], type: 'delay/nanoseconds', culprit: /spin|writeReport/ },
  gc: {
    kinds: ['heap', 'allocs'],
    type: 'alloc_space/bytes',
    culprit: /renderRows/,
  },
  heap: {
    kinds: ['heap'],
    type: 'inuse_space/bytes',
    culprit: /rememberOrders/,
    // A collection that has to wait for a processor takes as long as a bad one, and the event loop waits with it.
    env: { VITALS_AUTOPROFILE_GC: 'min=80,max=90', VITALS_AUTOPROFILE_DELAY: 'min=1000,max=2000' },
  },
  resources: { kinds: ['goroutine'] },
  delay: { kinds: ['cpu'], type: 'cpu/nanoseconds', culprit: /block|waitForLock/ },
  response: { kinds: ['goroutine', 'cpu'] },
  // Less than the default, because other tests take their share of the machine.
  cpu: {
    kinds: ['cpu'],
    type: 'cpu/nanoseconds',
    culprit: /spin|priceAll/,
    env: { VITALS_AUTOPROFILE_CPU: 'min=30' },
  },
};

describe('the auto-profiler', { concurrency: 2 }, () => {
  for (const rule of ruleNames) {
    test(`a fault of ${rule} fires its own rule, once, and is in the capture`, async () => {
      const { kinds, type, culprit, env } = faults[rule];
      const faulty = await startFaulty(rule, env);
      await faulty.fault();
      await faulty.captured(rule);
      // The fault goes on, within the cooldown.
      await sleep(5 * intervalMs);
      const samples = await samplesFrom(faulty.metrics);
      const expected = Object.fromEntries(ruleNames.map(name => [name, name === rule ? 1 : 0]));
      assert.deepEqual(captures(samples), expected, faulty.app.stderr());
      const time = samples.value('vitals_autoprofile_last_capture_time_seconds', {
        vitals_autoprofile_rule: rule,
      });
      assert.ok(Math.abs(time! - Date.now() / 1000) < 60, String(time));
      const records = faulty.records();
      assert.deepEqual(
        records.map(({ kind }) => kind),
        kinds,
      );
      for (const { trigger, service, serviceVersion } of records) {
        assert.deepEqual([trigger.source, service, serviceVersion], ['auto', 'shop', '1.2.3']);
        const reason = trigger.reason as { rule: string; value: number; threshold: number; recent: number[] };
        assert.equal(reason.rule, rule);
        assert.ok(reason.value >= reason.threshold, JSON.stringify(reason));
        assert.equal(reason.recent.at(-1), reason.value);
      }
      if (rule === 'stall') {
        const { stack } = records[0]!.trigger.reason as { stack: string[] };
        assert.ok(
          stack.some(line => /^writeReport .*faulty\.js:\d+$/.test(line)),
          stack.join('\n'),
        );
      }
      const last = decodePprof(readFileSync(join(faulty.folder, `${records.at(-1)!.id}.pb.gz`)));
      if (type !== undefined) {
        // On a busy machine a block is longer by the time that the process waits for a processor.
        const code = last.top(type).filter(({ name }) => name !== '(process was not scheduled)');
        assert.match(code[0]!.name, culprit!);
      }
      if (rule === 'resources') {
        assert.ok(last.samples.some(({ values }) => values[0]! >= 2000));
      }
      await faulty.end();
    });
  }

  test('a steady application fires nothing', async () => {
    const faulty = await startFaulty('steady');
    await faulty.fault();
    await sleep(16 * intervalMs);
    const samples = await samplesFrom(faulty.metrics);
    assert.deepEqual(captures(samples), Object.fromEntries(ruleNames.map(name => [name, 0])));
    assert.equal(samples.of(triggers).length, ruleNames.length);
    assert.deepEqual(readdirSync(faulty.folder), []);
    await faulty.end();
  });

  test('only the rules that are wanted are watched', async () => {
    const faulty = await startFaulty('resources', { VITALS_AUTOPROFILE_RULES: 'cpu,heap' });
    await faulty.fault();
    await sleep(5 * intervalMs);
    assert.deepEqual(captures(await samplesFrom(faulty.metrics)), { cpu: 0, heap: 0 });
    await faulty.end();
  });

  test('captures go to Pyroscope with the rule as label trigger, beside the continuous profiles', async () => {
    const ingest = await startIngestServer(60_000);
    const faulty = await startFaulty('delay', {
      PYROSCOPE_SERVER_ADDRESS: ingest.address,
      PYROSCOPE_APPLICATION_NAME: 'front',
    });
    await faulty.fault();
    const profile = await ingest.profile(({ labels }) => labels['trigger'] === 'delay');
    assert.equal(profile.application, 'front');
    assert.equal(profile.labels['service_version'], '1.2.3');
    assert.match(profile.top('cpu/nanoseconds')[0]!.frame.name, /block|waitForLock/);
    await faulty.captured('delay');
    const uploads = async () =>
      (await samplesFrom(faulty.metrics)).value('vitals_profile_uploads_total', { profile_type: 'capture' });
    while ((await uploads()) === undefined) await sleep(100);
    const [before, capture] = [/before the trigger/, /^V8 took/].map(note =>
      faulty.records().filter(({ notes }) => notes.some(text => note.test(text))),
    );
    assert.equal(capture!.length, 1);
    // Of the default of a minute there was no whole window yet: the one under way ended with the trigger.
    assert.equal(before!.length, 1);
    const [{ id, trigger, startedAt, durationMs }] = before as [CaptureRecord];
    assert.deepEqual(trigger, capture![0]!.trigger);
    assert.ok(Date.parse(startedAt) + durationMs <= Date.parse(capture![0]!.startedAt) + 100);
    assert.ok(durationMs > 5000, String(durationMs));
    const was = decodePprof(readFileSync(join(faulty.folder, `${id}.pb.gz`)));
    assert.ok(was.samples.some(({ frames }) => frames.some(({ name }) => /block|waitForLock/.test(name))));
    await faulty.end();
    await ingest.close();
  });

  test('captures that cannot be kept are a warning, and the application runs on', async () => {
    const files = folderWith({ 'not-a-folder': '' });
    const faulty = await startFaulty('resources', { VITALS_CAPTURE_DIR: files.path('not-a-folder') });
    await faulty.fault();
    await faulty.app.printed(
      /warn: the auto-profiler \(resources at \d+ resources, usually [\d.]+\): /,
      'stderr',
    );
    const samples = await faulty.captured('resources');
    assert.equal(captures(samples)['resources'], 0);
    await faulty.end();
  });

  test('a script ends when it has nothing left to do, with the same exit code', async () => {
    const files = folderWith({
      'brief.js': 'process.exitCode = 3; setTimeout(() => console.log("done"), 300)',
    });
    const { dir } = folderWith({});
    const exit = await runApp(files.path('brief.js'), {
      env: {
        OTEL_METRICS_EXPORTER: 'none',
        VITALS_AUTOPROFILE: 'true',
        VITALS_AUTOPROFILE_INTERVAL_MS: '100',
        VITALS_CAPTURE_DIR: join(dir, 'captures'),
      },
    });
    assert.deepEqual([exit.code, exit.stdout, exit.stderr], [3, 'done\n', '']);
    assert.equal(existsSync(join(dir, 'captures')), false);
  });
});
