import { mountsOf, type Services, type StackFiles, type Yaml } from './types';

/** What a service may have, of the Compose specification; another key is a slip of the pen, or has no test yet. */
const knownKeys = new Set(
  `build cap_add cap_drop command configs container_name depends_on deploy entrypoint env_file environment expose
  extra_hosts healthcheck hostname image init labels logging networks ports privileged profiles read_only restart
  secrets security_opt shm_size stop_grace_period stop_signal sysctls tmpfs ulimits user volumes working_dir`.split(
    /\s+/,
  ),
);

/** Images that run as no root by themselves; of an image that is built its Dockerfile says so. */
const rootless = [
  'prom/prometheus',
  'prom/alertmanager',
  'grafana/grafana',
  'grafana/pyroscope',
  'grafana/tempo',
  'grafana/k6',
];

/** Services that write beside their volumes, and why they may. */
const writing: Readonly<Record<string, string>> = {
  postgres: 'its socket and its own temporary files',
  pyroscope: 'its data folder is made at start',
};

/** What is wrong with the services, each by its name. */
export function serviceProblems(compose: Yaml, services: Services, files: StackFiles): string[] {
  return [
    ...services.flatMap(([name, service]) =>
      [
        ...keys(service),
        ...image(service, files),
        ...hardening(name, service),
        ...limits(service),
        ...health(service),
        ...dependencies(service, compose),
        ...secrets(service),
      ].map(problem => `${name}: ${problem}`),
    ),
    ...ports(services),
    ...volumes(compose, services, files),
    ...networks(compose, services),
  ];
}

function keys(service: Yaml): string[] {
  return Object.keys(service).flatMap(key =>
    knownKeys.has(key) ? [] : [`expected a key of the Compose specification, got "${key}"`],
  );
}

function image(service: Yaml, files: StackFiles): string[] {
  const problems: string[] = [];
  const { image: reference, build } = service;
  // A tag of three numbers, of two where its maker has no third, and what it is built on.
  if (!/^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/.test(String(reference)))
    problems.push(`expected an image pinned to a version, got "${reference}"`);
  if (build !== undefined) {
    if (!files.exists(build.dockerfile)) problems.push(`there is no ${build.dockerfile}`);
    else if (!files.read(build.dockerfile).includes(` AS ${build.target}\n`))
      problems.push(`${build.dockerfile} has no stage ${build.target}`);
  }
  return problems;
}

function hardening(name: string, service: Yaml): string[] {
  const problems: string[] = [];
  if (!service.cap_drop?.includes('ALL')) problems.push('expected cap_drop: [ALL]');
  if (service.cap_add !== undefined) problems.push('expected no cap_add');
  if (!service.security_opt?.includes('no-new-privileges:true'))
    problems.push('expected security_opt: [no-new-privileges:true]');
  if (service.privileged === true) problems.push('is privileged');
  if (service.read_only !== true && !(name in writing)) problems.push('expected read_only: true');
  const own = service.build !== undefined || rootless.some(one => service.image?.startsWith(`${one}:`));
  if (!own && /^(root|0)?(:|$)/.test(String(service.user ?? '')))
    problems.push('expected a user that is not root');
  return problems;
}

function limits(service: Yaml): string[] {
  const { cpus, memory, pids } = service.deploy?.resources?.limits ?? {};
  return [
    ...(Number(cpus) > 0 ? [] : ['expected a limit of cpus']),
    ...(/^\d+[MG]$/.test(String(memory)) ? [] : ['expected a limit of memory']),
    ...(Number(pids) > 0 ? [] : ['expected a limit of pids']),
  ];
}

function health(service: Yaml): string[] {
  // What runs once and ends is not watched.
  if (service.restart === 'no') return [];
  const check = service.healthcheck;
  if (check?.test?.[0] !== 'CMD') return ['expected a healthcheck with a CMD'];
  return ['interval', 'timeout', 'start_period'].flatMap(key =>
    /^\d+s$/.test(String(check[key])) ? [] : [`expected healthcheck.${key} in seconds`],
  );
}

function dependencies(service: Yaml, compose: Yaml): string[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([other, how]) => {
    const needed = compose.services[other];
    if (needed === undefined) return [`depends on ${other}, which is no service`];
    if ((how as Yaml)?.condition !== 'service_healthy') return [`expected ${other} to be healthy first`];
    return needed.healthcheck === undefined ? [`${other} has no healthcheck to wait for`] : [];
  });
}

function secrets(service: Yaml): string[] {
  return Object.entries(service.environment ?? {}).flatMap(([key, value]) =>
    /PASSWORD|SECRET|TOKEN|DATABASE_URL/.test(key) && !/\$\{\w+:\?[^}]+\}/.test(String(value))
      ? [`expected ${key} to come from the environment, or the stack not to start`]
      : [],
  );
}

function ports(services: Services): string[] {
  const taken = new Map<string, string>();
  return services.flatMap(([name, service]) =>
    ((service.ports ?? []) as string[]).flatMap(port => {
      const [, outside] = /^127\.0\.0\.1:(\d+):\d+$/.exec(String(port)) ?? [];
      if (outside === undefined) return [`${name}: expected a port on 127.0.0.1, got "${port}"`];
      const other = taken.get(outside);
      taken.set(outside, name);
      return other === undefined ? [] : [`${name}: port ${outside} is ${other}'s`];
    }),
  );
}

function volumes(compose: Yaml, services: Services, files: StackFiles): string[] {
  const problems: string[] = [];
  const mounts = mountsOf(services);
  const declared = new Set(Object.keys(compose.volumes ?? {}));
  const used = new Set<string>();
  for (const { service, source, target, mode } of mounts) {
    if (!target.startsWith('/')) problems.push(`${service}: expected ${source} at an absolute path`);
    if (source.startsWith('.')) {
      if (!files.exists(source)) problems.push(`${service}: mounts ${source}, which is not there`);
      if (mode !== 'ro') problems.push(`${service}: expected ${source} to be read-only`);
    } else {
      used.add(source);
      if (!declared.has(source)) problems.push(`${service}: volume ${source} is not declared`);
    }
  }
  for (const name of declared) if (!used.has(name)) problems.push(`volume ${name} is not used`);
  for (const [name, { command = [], environment = {} }] of services) {
    for (const text of [...command, ...Object.values(environment)]) {
      const path = /(?:^|=)(\/(?:etc\/otel-vitals|k6)\/.*)$/.exec(String(text))?.[1];
      if (path === undefined) continue;
      const mount = mounts.find(one => one.service === name && path.startsWith(`${one.target}/`));
      if (mount === undefined || !files.exists(mount.source + path.slice(mount.target.length)))
        problems.push(`${name}: ${path} is not mounted`);
    }
  }
  return problems;
}

function networks(compose: Yaml, services: Services): string[] {
  const declared = new Set(Object.keys(compose.networks ?? {}));
  return services.flatMap(([name, service]) =>
    ((service.networks ?? []) as string[]).flatMap(network =>
      declared.has(network) ? [] : [`${name}: network ${network} is not declared`],
    ),
  );
}
