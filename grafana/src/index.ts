import { stableJson } from './json';
import { processRules } from './rules';
import { ruleFile } from './rules/rule';
import { runtimeBoard } from './runtime';

/** Every generated file of grafana/: its path from the repository's root, and its content. */
export function grafanaFiles(): Map<string, string> {
  return new Map([
    ['grafana/dashboards/runtime.json', stableJson(runtimeBoard())],
    ['grafana/rules/process.yml', ruleFile(processRules())],
  ]);
}
