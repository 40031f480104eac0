import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { readBoards } from '../helpers/boards';

const root = join(__dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readYaml = (path: string): unknown => parse(read(path), { merge: true });

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly [key: string]: unknown };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly profiles?: readonly string[];
  readonly restart: string;
  readonly security_opt: readonly string[];
  readonly cap_drop: readonly string[];
  readonly privileged?: boolean;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy: { readonly resources: { readonly limits: Readonly<Record<string, unknown>> } };
}

const stack = readYaml('docker-compose.yml') as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, unknown>;
};
const services = Object.entries(stack.services);
const service = (name: string): Service => {
  const found = stack.services[name];
  assert.ok(found, `service ${name}`);
  return found;
};
/** `source:target[:mode]` of every mount. */
const mounts = services.flatMap(([name, { volumes = [] }]) =>
  volumes.map(volume => {
    const [source = '', target = '', mode = 'rw'] = volume.split(':');
    return { name, source, target, mode };
  }),
);

test('the stack has the shop, its servers and everything that watches it, and load only when asked for', () => {
  const shop = ['payment', 'postgres', 'redis', 'shop', 'shop-2'];
  const watchers = ['alertmanager', 'grafana', 'prometheus', 'pyroscope'];
  assert.deepEqual(Object.keys(stack.services).sort(), [...shop, ...watchers, 'k6', 'tempo'].sort());
  assert.deepEqual(
    services.flatMap(([name, { profiles }]) => (profiles ? [[name, ...profiles]] : [])),
    [
      ['tempo', 'traces'],
      ['k6', 'load'],
    ],
  );
});

test('every image is pinned to a full version', () => {
  for (const [name, { image }] of services) assert.match(image, /:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/, name);
  // PostgreSQL's versions have two parts; everything else would float with two.
  for (const [name, { image }] of services) {
    if (name !== 'postgres') assert.match(image, /:v?\d+\.\d+\.\d+/, name);
  }
});

test('every server has a health check that knows how long its start may take', () => {
  for (const [name, { healthcheck, restart }] of services) {
    if (name === 'k6') {
      assert.equal(restart, 'no');
      continue;
    }
    assert.equal(restart, 'unless-stopped', name);
    assert.equal(healthcheck?.test[0], 'CMD', name);
    for (const key of ['interval', 'timeout', 'start_period'])
      assert.match(String(healthcheck[key]), /^\d+s$/, name);
    assert.ok(Number(healthcheck['retries']) > 0, name);
  }
});

test('what a service depends on is there and must be healthy first', () => {
  for (const [name, { depends_on: needs = {} }] of services) {
    for (const [other, { condition }] of Object.entries(needs)) {
      assert.equal(condition, 'service_healthy', `${name} needs ${other}`);
      assert.ok(service(other).healthcheck, other);
    }
  }
});

test('every service is limited in CPU, memory and processes', () => {
  for (const [name, { deploy }] of services) {
    const { cpus, memory, pids } = deploy.resources.limits;
    assert.match(String(cpus), /^\d+(\.\d+)?$/, name);
    assert.match(String(memory), /^\d+[MG]$/, name);
    assert.ok(Number(pids) > 0, name);
  }
});

test('no service is privileged or can become so', () => {
  for (const [name, one] of services) {
    assert.equal(one.privileged, undefined, name);
    assert.deepEqual(one.security_opt, ['no-new-privileges:true'], name);
    assert.deepEqual(one.cap_drop, ['ALL'], name);
  }
});

test('ports are open on loopback only, each once, and those of the databases not at all', () => {
  const open = services.flatMap(([, { ports = [] }]) => ports);
  for (const port of open) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  const outside = open.map(port => port.split(':')[1]);
  assert.equal(new Set(outside).size, outside.length);
  for (const name of ['postgres', 'redis']) {
    assert.equal(service(name).ports, undefined);
    assert.deepEqual(service(name).networks, ['data']);
  }
  assert.deepEqual(stack.networks['data'], { internal: true });
});

test('every mounted file is in the repository and read-only, every volume is declared and used', () => {
  const named = new Set<string>();
  for (const { name, source, target, mode } of mounts) {
    assert.match(target, /^\//, `${name}: ${source}`);
    if (source.startsWith('.')) {
      assert.ok(existsSync(join(root, source)), `${name} mounts ${source}`);
      assert.equal(mode, 'ro', `${name} mounts ${source}`);
    } else {
      named.add(source);
    }
  }
  assert.deepEqual([...named].sort(), Object.keys(stack.volumes).sort());
});

test('a path that a command or a setting names inside of a container is mounted there', () => {
  for (const [name, { command = [], environment = {} }] of services) {
    for (const text of [...command, ...Object.values(environment)]) {
      const path = /(?:^|=)(\/(?:etc\/otel-vitals|k6)\/.*)$/.exec(text)?.[1];
      if (path === undefined) continue;
      const mount = mounts.find(one => one.name === name && path.startsWith(`${one.target}/`));
      assert.ok(mount, `${name}: ${path}`);
      assert.ok(existsSync(join(root, mount.source, path.slice(mount.target.length))), `${name}: ${path}`);
    }
  }
});

test('nobody gets into Grafana without a password, and there is none to guess', () => {
  const environment = service('grafana').environment ?? {};
  assert.match(environment['GF_SECURITY_ADMIN_PASSWORD'] ?? '', /^\$\{GRAFANA_ADMIN_PASSWORD:\?.+\}$/);
  assert.equal(environment['GF_AUTH_ANONYMOUS_ENABLED'], 'false');
  assert.equal(environment['GF_USERS_ALLOW_SIGN_UP'], 'false');
  assert.doesNotMatch(JSON.stringify(environment), /ANONYMOUS_ORG_ROLE|DISABLE_LOGIN|AUTH_PROXY/);
});

test('no password stands in the file: each comes from the environment, or the stack does not start', () => {
  for (const [name, { environment = {} }] of services) {
    for (const [key, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|TOKEN|DATABASE_URL/.test(key))
        assert.match(value, /\$\{\w+:\?[^}]+\}/, `${name}: ${key}`);
    }
  }
});

test('the shop is told of its database, its cache, the address of its metrics and where profiles go', () => {
  const environment = service('shop').environment ?? {};
  assert.match(environment['DATABASE_URL'] ?? '', /@postgres:5432\/shop$/);
  assert.equal(environment['REDIS_URL'], 'redis://redis:6379');
  assert.equal(environment['PAYMENT_URL'], 'http://payment:3100');
  assert.equal(environment['OTEL_EXPORTER_PROMETHEUS_HOST'], '0.0.0.0');
  assert.equal(environment['PYROSCOPE_SERVER_ADDRESS'], 'http://pyroscope:4040');
});

test('the second replica differs from the first in its ports outside alone, and Prometheus asks both', () => {
  const { ports: first, ...one } = service('shop');
  const { ports: second, ...other } = service('shop-2');
  assert.deepEqual(other, one);
  const inside = (ports: readonly string[] = []) => ports.map(port => port.split(':')[2]);
  assert.deepEqual(inside(second), inside(first));
  const groups = readYaml('grafana/prometheus/targets/applications.yml') as {
    targets: string[];
    labels: { job: string };
  }[];
  assert.deepEqual(groups.find(({ labels }) => labels.job === 'shop')?.targets, ['shop:9464', 'shop-2:9464']);
});

test('the payment gateway is a program of the same image, at the address that the shop is told', () => {
  const { image, command, environment = {} } = service('payment');
  assert.equal(image, service('shop').image);
  assert.equal(command?.at(-1), 'dist/mall/payment/main.js');
  assert.match(read('scripts/build.mjs'), /'payment\/main': 'mall\/payment\/main.ts'/);
  assert.equal(service('shop').environment?.['PAYMENT_URL'], `http://payment:${environment['PORT']}`);
});

test('k6 sends its results to the Prometheus of the stack, which takes them, and starts with a scenario that there is', () => {
  const { command, environment = {}, depends_on: needs } = service('k6');
  assert.deepEqual(command, ['run', '/k6/scenarios/smoke.ts']);
  assert.equal(environment['K6_OUT'], 'experimental-prometheus-rw');
  assert.equal(environment['K6_PROMETHEUS_RW_SERVER_URL'], 'http://prometheus:9090/api/v1/write');
  assert.ok(service('prometheus').command?.includes('--web.enable-remote-write-receiver'));
  assert.ok(needs?.['prometheus']);
});

interface ServiceDiscovery {
  readonly file_sd_configs?: readonly { readonly files: readonly string[] }[];
}

const prometheusConfig = readYaml('grafana/prometheus/prometheus.yml') as {
  global: { scrape_interval: string };
  rule_files: string[];
  scrape_configs: (ServiceDiscovery & { job_name: string })[];
  alerting: { alertmanagers: ServiceDiscovery[] };
};

test('Prometheus runs the configuration of the integration test: one file, whose addresses all stand beside it', () => {
  const configFlag = service('prometheus').command?.find(flag => flag.startsWith('--config.file='));
  assert.equal(configFlag, '--config.file=/etc/otel-vitals/prometheus/prometheus.yml');
  const mounted = mounts.filter(({ name, source }) => name === 'prometheus' && source.startsWith('.'));
  assert.deepEqual(
    mounted.map(({ source, target }) => [source, target]),
    [
      ['./grafana/prometheus', '/etc/otel-vitals/prometheus'],
      ['./grafana/rules', '/etc/otel-vitals/rules'],
    ],
  );
  // The test copies these two folders as they are and replaces nothing but the files of targets/.
  assert.match(read('test/helpers/stack-prometheus.ts'), /\['prometheus', 'rules'\]/);
  assert.doesNotMatch(JSON.stringify(prometheusConfig), /static_configs|"targets":/);
  assert.deepEqual(prometheusConfig.rule_files, ['../rules/*.yml']);
});

test('every target is a service of the stack at a port it listens on', () => {
  const files = [...prometheusConfig.scrape_configs, ...prometheusConfig.alerting.alertmanagers].flatMap(
    ({ file_sd_configs: configs = [] }) => configs.flatMap(({ files }) => files),
  );
  assert.ok(files.length >= 3);
  const inside = new Set(
    services.flatMap(([name, { ports = [] }]) => ports.map(port => `${name}:${port.split(':')[2]}`)),
  );
  for (const file of files) {
    const groups = readYaml(`grafana/prometheus/${file}`) as { targets: string[] }[];
    for (const target of groups.flatMap(({ targets }) => targets)) {
      assert.ok(target === 'localhost:9090' || inside.has(target), target);
    }
  }
});

test('Grafana finds its data sources under fixed uids, and knows the scrape interval', () => {
  const { datasources } = readYaml('grafana/provisioning/datasources/otel-vitals.yml') as {
    datasources: { uid: string; type: string; url: string; jsonData: { timeInterval?: string } }[];
  };
  assert.deepEqual(
    datasources.map(({ uid, type, url }) => [uid, type, url]),
    [
      ['otel-vitals-prometheus', 'prometheus', 'http://prometheus:9090'],
      ['otel-vitals-alertmanager', 'alertmanager', 'http://alertmanager:9093'],
      ['otel-vitals-pyroscope', 'grafana-pyroscope-datasource', 'http://pyroscope:4040'],
      ['otel-vitals-tempo', 'tempo', 'http://tempo:3200'],
    ],
  );
  assert.equal(datasources[0]?.jsonData.timeInterval, prometheusConfig.global.scrape_interval);
});

test('Grafana is given the folder of dashboards that is mounted, and opens with one of them', () => {
  const { providers } = readYaml('grafana/provisioning/dashboards/otel-vitals.yml') as {
    providers: { options: { path: string }; allowUiUpdates: boolean }[];
  };
  const folder = mounts.find(
    ({ name, source }) => name === 'grafana' && source === './grafana/dashboards',
  )?.target;
  assert.deepEqual(
    providers.map(({ options }) => options.path),
    [folder],
  );
  assert.ok(readBoards().length > 0);
});

test('Alertmanager sends every alert to a receiver that exists', () => {
  const { route, receivers } = readYaml('grafana/alertmanager/alertmanager.yml') as {
    route: { receiver: string };
    receivers: { name: string }[];
  };
  assert.ok(receivers.some(({ name }) => name === route.receiver));
});

test('the image is built in stages, from one pinned base, and runs the shop under the preload as no root', () => {
  const { build } = service('shop');
  assert.ok(build);
  const lines = read(join(build.context, build.dockerfile)).split('\n');
  const stages = lines.flatMap(line => /^FROM (\S+) AS (\S+)$/.exec(line)?.slice(1, 3) ?? []);
  assert.match(stages[0] ?? '', /^node:\d+\.\d+\.\d+-[a-z]+-slim$/);
  assert.ok(stages.length >= 6);
  assert.equal(stages.at(-1), build.target);
  assert.doesNotMatch(lines.join('\n'), /latest|ADD http|curl|--privileged/);
  const last = lines.slice(lines.findIndex(line => line.endsWith(` AS ${build.target}`)));
  assert.equal(
    last.findLast(line => line.startsWith('USER ')),
    'USER node',
  );
  assert.match(last.at(-2) ?? '', /^CMD \["node", "--require", "\.\/instrumentation", /);
});

test('what the image copies from the checkout is not kept out of its context', () => {
  const ignored = read('.dockerignore').split('\n');
  for (const path of [
    'package.json',
    'package-lock.json',
    'instrumentation',
    'mall',
    'scripts',
    'toolkit',
    'exporters',
  ]) {
    assert.ok(existsSync(join(root, path)), path);
    assert.ok(!ignored.includes(path), path);
  }
  for (const path of ['**/node_modules', '**/.git', 'dist', '.env*']) assert.ok(ignored.includes(path), path);
});

test('the packages that the image adds for the shop are those the shop imports', () => {
  const added = /for name in (.+); do/.exec(read('mall/Dockerfile'))?.[1]?.split(' ').sort();
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  for (const name of added ?? []) assert.ok(devDependencies[name], name);
  // The demo runs from the checkout, never in the image.
  const files = readdirSync(join(root, 'mall'), { recursive: true })
    .map(String)
    .filter(file => file.endsWith('.ts') && !file.startsWith('demo'));
  const imported = files.flatMap(file =>
    [...read(`mall/${file}`).matchAll(/^import (?!type).*from '([^.'][^']*)'/gm)].map(([, name]) => name!),
  );
  assert.ok(imported.includes('fastify'));
  for (const name of imported) {
    if (name.startsWith('node:') || name.startsWith('otel-vitals/')) continue;
    assert.ok(
      added?.includes(name) || dependencies[name],
      `${name} is imported by the shop and not in its image`,
    );
  }
});
