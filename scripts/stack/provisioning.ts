import { parse } from 'yaml';
import { mountsOf, type Services, type StackFiles, type Yaml } from './types';

const dataSourceFile = 'grafana/provisioning/datasources/otel-vitals.yml';
const dashboardFile = 'grafana/provisioning/dashboards/otel-vitals.yml';
const boardFolder = 'grafana/dashboards';
const alertmanagerFile = 'grafana/alertmanager/alertmanager.yml';
const prometheusFile = 'grafana/prometheus/prometheus.yml';

/** What is wrong with the files that the services are given. */
export function provisioningProblems(services: Services, files: StackFiles): string[] {
  const read = (path: string): Yaml => parse(files.read(path), { merge: true });
  const problems: string[] = [];
  const sources: Yaml[] = read(dataSourceFile).datasources ?? [];
  const say = (file: string, problem: string): void => void problems.push(`${file}: ${problem}`);
  const inside = new Set(
    services.flatMap(([name, { ports = [] }]) =>
      (ports as string[]).map(port => `${name}:${String(port).split(':')[2]}`),
    ),
  );

  const uids = new Set(sources.map(({ uid }) => uid));
  if (uids.size !== sources.length) say(dataSourceFile, 'expected every uid once');
  if (sources.filter(({ isDefault }) => isDefault === true).length !== 1)
    say(dataSourceFile, 'expected one default data source');
  for (const { name, uid, url, jsonData } of sources) {
    if (!/^otel-vitals-[a-z]+$/.test(String(uid)))
      say(dataSourceFile, `${name}: expected a fixed uid, got "${uid}"`);
    if (!inside.has(String(url).replace('http://', '')))
      say(dataSourceFile, `${name}: expected the address of a service of the stack, got "${url}"`);
    for (const [, other] of JSON.stringify(jsonData ?? {}).matchAll(
      /"(?:datasource|alertmanager)Uid":"([^"]+)"/g,
    ))
      if (!uids.has(other)) say(dataSourceFile, `${name}: there is no data source ${other}`);
  }

  const types = new Set(sources.map(({ type }) => type));
  for (const file of files.list(boardFolder).filter(name => name.endsWith('.json'))) {
    const board = JSON.parse(files.read(`${boardFolder}/${file}`)) as Yaml;
    const variables = board.templating.list.filter(({ type }: Yaml) => type === 'datasource');
    for (const { name, query } of variables)
      if (!types.has(query)) say(file, `variable ${name}: no data source of the stack is of type ${query}`);
    const chosen = new Set(variables.map(({ name }: Yaml) => `$${name}`));
    const used = [...JSON.stringify(board).matchAll(/"datasource":\{[^}]*"uid":"([^"]+)"/g)].map(
      ([, uid]) => uid!,
    );
    for (const uid of new Set(used))
      if (!chosen.has(uid) && !uids.has(uid)) say(file, `there is no data source ${uid}`);
  }

  const targets = mountsOf(services)
    .filter(({ service }) => service === 'grafana')
    .map(({ target }) => target);
  for (const { name, options, folder } of read(dashboardFile).providers ?? []) {
    if (!targets.includes(options?.path)) say(dashboardFile, `${name}: ${options?.path} is not mounted`);
    if (!folder) say(dashboardFile, `${name}: expected a folder`);
  }

  const { route, receivers = [] } = read(alertmanagerFile);
  const known = new Set(receivers.map(({ name }: Yaml) => name));
  const walk = (one: Yaml): void => {
    if (one.receiver !== undefined && !known.has(one.receiver))
      say(alertmanagerFile, `there is no receiver ${one.receiver}`);
    for (const child of one.routes ?? []) walk(child);
  };
  walk(route);

  const { scrape_configs: scrapes = [], alerting = {}, rule_files: rules = [] } = read(prometheusFile);
  const discoveries: Yaml[] = [...scrapes, ...(alerting.alertmanagers ?? [])];
  for (const file of discoveries.flatMap(one =>
    (one.file_sd_configs ?? []).flatMap((config: Yaml) => config.files),
  )) {
    const path = `grafana/prometheus/${file}`;
    if (!files.exists(path)) say(prometheusFile, `there is no ${file}`);
    else
      for (const target of read(path).flatMap((group: Yaml) => group.targets))
        if (!inside.has(target) && target !== 'localhost:9090')
          say(path, `${target} is no service of the stack`);
  }
  if (rules.length === 0) say(prometheusFile, 'expected rule_files');
  return problems;
}
