import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isEnabled, loadConfig } from '../../instrumentation/config/load';
import { describe } from '../../instrumentation/config/redact';
import { badEnvironment, badValue, optionTable as table } from '../helpers/bad-values';

test('an empty environment gives every option its default, without a problem', () => {
  const { config, problems } = loadConfig({});
  assert.deepEqual(problems, []);
  for (const [key, option] of table) assert.deepEqual(config[key], option.default, key);
  assert.ok(Object.isFrozen(config));
});

test('an empty value counts as not set', () => {
  const env = Object.fromEntries(table.map(([, option]) => [option.env, '  ']));
  assert.deepEqual(loadConfig(env), loadConfig({}));
});

for (const [key, option] of table) {
  const bad = badValue(option);
  test(`a bad ${option.env} is named with what was expected, and the default holds`, () => {
    const { config, problems } = loadConfig({ [option.env]: bad });
    assert.deepEqual(config[key], option.default);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, new RegExp(`^${option.env}: expected .+, got `));
    assert.ok(
      problems[0]!.endsWith(`got ${option.secret ? '[redacted]' : JSON.stringify(bad)}`),
      problems[0],
    );
  });
}

test('every bad value at once is reported, one problem each', () => {
  const { config, problems } = loadConfig(badEnvironment());
  assert.equal(problems.length, table.length);
  for (const [key, option] of table) assert.deepEqual(config[key], option.default, key);
});

test('integers at their bounds are taken, and one past them is refused', () => {
  assert.equal(loadConfig({ OTEL_EXPORTER_PROMETHEUS_PORT: '65535' }).config.prometheusPort, 65_535);
  assert.equal(loadConfig({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' }).config.prometheusPort, 0);
  for (const wrong of ['65536', '-1', '1.5', '0x10', '1e3', 'NaN']) {
    const { config, problems } = loadConfig({ OTEL_EXPORTER_PROMETHEUS_PORT: wrong });
    assert.equal(config.prometheusPort, 9464, wrong);
    assert.equal(problems.length, 1, wrong);
  }
});

test('values are read as the specification writes them', () => {
  const { config, problems } = loadConfig({
    OTEL_SDK_DISABLED: 'TRUE',
    OTEL_METRICS_EXPORTER: ' otlp, Prometheus ,otlp',
    OTEL_RESOURCE_ATTRIBUTES: 'team=pay%2Cments, deployment.environment.name = prod',
    OTEL_EXPORTER_PROMETHEUS_HOST: '[::1]',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/',
  });
  assert.deepEqual(problems, []);
  assert.equal(config.disabled, true);
  assert.deepEqual(config.metricsExporters, ['otlp', 'prometheus']);
  assert.deepEqual(config.resourceAttributes, { team: 'pay,ments', 'deployment.environment.name': 'prod' });
  assert.equal(config.prometheusHost, '::1');
  assert.equal(config.otlpEndpoint, 'https://collector:4318');
});

test('a variable of one signal has a value of its own, and its path is left as it is', () => {
  const { config, problems } = loadConfig({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector:4318/custom/',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=1',
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'b=2%2C3',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '250',
    OTEL_TRACES_SAMPLER_ARG: '.25',
  });
  assert.deepEqual(problems, []);
  assert.equal(config.otlpTracesEndpoint, 'https://collector:4318/custom/');
  assert.deepEqual([config.otlpHeaders, config.otlpLogsHeaders], [{ a: '1' }, { b: '2,3' }]);
  assert.deepEqual([config.otlpTimeoutMs, config.otlpMetricsTimeoutMs], [10_000, 250]);
  assert.equal(config.otlpTracesTimeoutMs, undefined);
  assert.equal(config.samplerRatio, 0.25);
});

test('a share is a number from 0 to 1', () => {
  for (const right of ['0', '1', '0.5', '1e-3']) {
    assert.deepEqual(loadConfig({ OTEL_TRACES_SAMPLER_ARG: right }).problems, [], right);
  }
  for (const wrong of ['-0.1', '1.01', 'half', 'NaN', '0x1', '.']) {
    assert.equal(loadConfig({ OTEL_TRACES_SAMPLER_ARG: wrong }).problems.length, 1, wrong);
  }
});

test('thresholds of a rule are taken by name, and those left out keep their defaults', () => {
  const { config, problems } = loadConfig({
    VITALS_AUTOPROFILE_CPU: 'rise = 20, max=95.5',
    VITALS_AUTOPROFILE_STALL: 'max=250',
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(config.autoprofileCpu, { min: 50, rise: 20, max: 95.5 });
  assert.deepEqual(config.autoprofileStall, { max: 250 });
});

test('thresholds that no level can meet, names that there are not and what is no number are refused', () => {
  const form = 'min=number,rise=number,max=number';
  for (const [wrong, expected] of [
    ['min=90,max=80', `${form} with min not above max (90, 80)`],
    ['limit=3', `${form}, each a number that is not negative`],
    ['min=-1', `${form}, each a number that is not negative`],
    ['min', `${form}, each a number that is not negative`],
    ['50', `${form}, each a number that is not negative`],
  ] as const) {
    const { config, problems } = loadConfig({ VITALS_AUTOPROFILE_GC: wrong });
    assert.deepEqual(problems, [`VITALS_AUTOPROFILE_GC: expected ${expected}, got "${wrong}"`]);
    assert.deepEqual(config.autoprofileGc, { min: 10, rise: 100, max: 30 });
  }
  assert.match(loadConfig({ VITALS_AUTOPROFILE_STALL: 'min=3' }).problems[0]!, /expected max=number, each/);
});

test('none does not go together with another exporter', () => {
  const { problems } = loadConfig({ OTEL_METRICS_EXPORTER: 'none,otlp' });
  assert.match(problems[0]!, /expected none to stand alone, got "none,otlp"/);
});

test('a meter is used when it is named, or not named among those left out', () => {
  const some = loadConfig({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'gc,pg' }).config;
  assert.deepEqual(
    [isEnabled(some, 'gc'), isEnabled(some, 'heap'), isEnabled(some, 'pg')],
    [true, false, true],
  );
  const others = loadConfig({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'gc' }).config;
  assert.deepEqual([isEnabled(others, 'gc'), isEnabled(others, 'heap')], [false, true]);
});

test('an unknown name of a meter is reported and the known ones beside it hold', () => {
  const { config, problems } = loadConfig({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'gc,http' });
  assert.match(problems[0]!, /OTEL_NODE_DISABLED_INSTRUMENTATIONS: expected names out of .*, got "http"/);
  assert.equal(isEnabled(config, 'gc'), false);
});

test('secrets appear neither in problems nor in the start-up line', () => {
  const env = {
    PYROSCOPE_AUTH_TOKEN: 's3cret-token',
    PYROSCOPE_BASIC_AUTH_PASSWORD: 's3cret-password',
    OTEL_EXPORTER_OTLP_HEADERS: 's3cret-header-without-value',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=s3cret',
    PYROSCOPE_SERVER_ADDRESS: 'http://user:s3cret@pyroscope:4040',
  };
  const { config, problems } = loadConfig(env);
  assert.equal(problems.length, 1);
  const shown = `${problems.join()} ${describe(config)}`;
  assert.ok(!shown.includes('s3cret'), shown);
  assert.match(shown, /PYROSCOPE_AUTH_TOKEN=\[redacted\]/);
});

test('credentials and queries of addresses are not shown, whether the address is right or wrong', () => {
  for (const [address, shown] of [
    ['http://me:s3cret@host:4318/path', 'http://[redacted]@host:4318/path'],
    ['http://me:s3cr@et@host', 'http://[redacted]@host'],
    ['http://me:s3cr/et@host', 'http://[redacted]@host'],
    ['me:s3cret@host:4318', '[redacted]@host:4318'],
    ['htp://me:s3cret@host', 'htp://[redacted]@host'],
    ['https://host/v1?key=s3cret', 'https://host/v1?[redacted]'],
  ]) {
    const { config, problems } = loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: address });
    const text = `${problems.join()} ${describe(config)}`;
    assert.ok(text.includes(JSON.stringify(shown)), `${text} lacks ${shown}`);
  }
  // What is no address keeps its at sign.
  assert.match(describe(loadConfig({ OTEL_SERVICE_NAME: '@acme/shop' }).config), /="@acme\/shop"/);
});

test('no environment whatever makes loading throw or leaves an option without a value of its type', () => {
  const names = table.map(([, option]) => option.env);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' })), env => {
      const { config } = loadConfig(env);
      for (const [key, option] of table) {
        if (option.default !== undefined) assert.equal(typeof config[key], typeof option.default, key);
      }
    }),
  );
});
