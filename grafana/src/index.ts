import { cacheBoard } from './cache';
import { databaseBoard } from './database';
import { fleetBoard } from './fleet';
import { httpBoard } from './http';
import { stableJson } from './json';
import { k6Board } from './k6';
import { overviewBoard } from './overview';
import { poolsBoard } from './pools';
import { profilesBoard } from './profiles';
import { ruleFiles } from './rules';
import { ruleFile } from './rules/rule';
import { runtimeBoard } from './runtime';

/** Every generated file of grafana/: its path from the repository's root, and its content. */
export function grafanaFiles(): Map<string, string> {
  return new Map([
    ['grafana/dashboards/cache.json', stableJson(cacheBoard())],
    ['grafana/dashboards/database.json', stableJson(databaseBoard())],
    ['grafana/dashboards/fleet.json', stableJson(fleetBoard())],
    ['grafana/dashboards/http.json', stableJson(httpBoard())],
    ['grafana/dashboards/k6.json', stableJson(k6Board())],
    ['grafana/dashboards/overview.json', stableJson(overviewBoard())],
    ['grafana/dashboards/pools.json', stableJson(poolsBoard())],
    ['grafana/dashboards/profiles.json', stableJson(profilesBoard())],
    ['grafana/dashboards/runtime.json', stableJson(runtimeBoard())],
    ...Object.entries(ruleFiles()).map(
      ([name, rules]) => [`grafana/rules/${name}.yml`, ruleFile(rules)] as const,
    ),
  ]);
}
