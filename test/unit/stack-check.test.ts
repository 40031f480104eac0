import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stackProblems } from '../../scripts/stack/check';

const root = join(__dirname, '..', '..');

/** The stack's problems once `from` stands as `to` in a file. */
function problems(file?: string, from: string | RegExp = '', to = ''): string[] {
  return stackProblems({
    exists: path => existsSync(join(root, path)),
    list: folder => readdirSync(join(root, folder)),
    read(path) {
      const text = readFileSync(join(root, path), 'utf8');
      if (path !== file) return text;
      const changed = text.replace(from, to);
      assert.notEqual(changed, text, `${file} has no ${from}`);
      return changed;
    },
  });
}

test('nothing is wrong with the stack', () => assert.deepEqual(problems(), []));

const compose = 'docker-compose.yml';
const sources = 'grafana/provisioning/datasources/otel-vitals.yml';
const broken: readonly [what: string, file: string, from: string | RegExp, to: string, problem: RegExp][] = [
  [
    'a floating image',
    compose,
    /prom\/prometheus:\S+/,
    'prom/prometheus:latest',
    /prometheus: expected an image pinned/,
  ],
  ['an image without a tag', compose, /grafana\/k6:\S+/, 'grafana/k6', /k6: expected an image pinned/],
  [
    'a stage that is not there',
    compose,
    'target: shop',
    'target: shoop',
    /shop: mall\/Dockerfile has no stage shoop/,
  ],
  [
    'a port for everybody',
    compose,
    '127.0.0.1:9090:9090',
    '9090:9090',
    /prometheus: expected a port on 127.0.0.1/,
  ],
  [
    'a port taken twice',
    compose,
    '127.0.0.1:9093:9093',
    '127.0.0.1:9090:9093',
    /alertmanager: port 9090 is prometheus's/,
  ],
  [
    'a file that is not there',
    compose,
    './grafana/rules:',
    './grafana/rulez:',
    /prometheus: mounts .\/grafana\/rulez/,
  ],
  [
    'a writable file',
    compose,
    'rules:ro',
    'rules:rw',
    /prometheus: expected .\/grafana\/rules to be read-only/,
  ],
  [
    'a path that is not mounted',
    compose,
    '/prometheus.yml',
    '/other.yml',
    /prometheus: .*other.yml is not mounted/,
  ],
  [
    'a volume that is not declared',
    compose,
    '  grafana-data: {}',
    '  other: {}',
    /volume grafana-data is not declared/,
  ],
  ['a capability', compose, 'cap_drop: [ALL]', 'cap_drop: []', /shop: expected cap_drop/],
  ['new privileges', compose, 'no-new-privileges:true', 'seccomp:unconfined', /redis: expected security_opt/],
  ['root', compose, 'user: postgres', 'user: root', /postgres: expected a user that is not root/],
  [
    'a disk to write to',
    compose,
    /read_only: true\n {4}tmpfs: \[\/data\]/,
    'tmpfs: [/data]',
    /redis: expected read_only/,
  ],
  ['no limit', compose, /, pids: 50/, '', /redis: expected a limit of pids/],
  [
    'no start period',
    compose,
    'start_period: 15s',
    'start_interval: 15s',
    /payment: expected healthcheck.start_period/,
  ],
  [
    'a password in the file',
    compose,
    /GF_SECURITY_ADMIN_PASSWORD: .*/,
    'GF_SECURITY_ADMIN_PASSWORD: admin',
    /grafana: expected GF_SECURITY_ADMIN_PASSWORD/,
  ],
  [
    'a slip in a key',
    compose,
    'stop_grace_period: 30s',
    'stop_grace_periode: 30s',
    /postgres: expected a key of the Compose/,
  ],
  ['a network of nobody', compose, 'networks: [data]', 'networks: [date]', /network date is not declared/],
  [
    'a dependency of nobody',
    compose,
    'prometheus: { condition',
    'prometheuz: { condition',
    /depends on prometheuz/,
  ],
  [
    'a start that waits for nobody',
    compose,
    'redis: { condition: service_healthy }',
    'redis: { condition: service_started }',
    /expected redis to be healthy first/,
  ],
  [
    'a source of another uid',
    sources,
    'datasourceUid: otel-vitals-pyroscope',
    'datasourceUid: other',
    /Tempo: there is no data source other/,
  ],
  [
    'a source at no service',
    sources,
    'http://pyroscope:4040',
    'http://pyroscope:4041',
    /Pyroscope: expected the address of a service/,
  ],
  [
    'boards without their source',
    sources,
    'type: grafana-pyroscope-datasource',
    'type: parca',
    /profiles.json: variable pyroscope/,
  ],
  [
    'two defaults',
    sources,
    'type: tempo',
    'type: tempo\n    isDefault: true',
    /expected one default data source/,
  ],
  [
    'a receiver of nobody',
    'grafana/alertmanager/alertmanager.yml',
    'receiver: pager',
    'receiver: nobody',
    /there is no receiver nobody/,
  ],
  [
    'a target of nobody',
    'grafana/prometheus/targets/applications.yml',
    'shop:9464',
    'shopp:9464',
    /shopp:9464 is no service/,
  ],
  [
    'boards from nowhere',
    'grafana/provisioning/dashboards/otel-vitals.yml',
    'path: /etc',
    'path: /opt',
    /\/opt\S+ is not mounted/,
  ],
  [
    'boards in no folder',
    'grafana/provisioning/dashboards/otel-vitals.yml',
    'folder: otel-vitals',
    'folder: ""',
    /expected a folder/,
  ],
];

for (const [what, file, from, to, problem] of broken) {
  test(`finds ${what}`, () => {
    const found = problems(file, from, to);
    assert.ok(
      found.some(one => problem.test(one)),
      `${problem} among ${JSON.stringify(found)}`,
    );
  });
}
