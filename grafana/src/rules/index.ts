import { cacheRules } from './cache';
import { httpRules } from './http';
import { processRules } from './process';
import type { RuleFile } from './rule';
import { runtimeRules } from './runtime';
import { saturationRules } from './saturation';
import { telemetryRules } from './telemetry';

/** Every file of rules, by its name. */
export const ruleFiles: Readonly<Record<string, () => RuleFile>> = {
  process: processRules,
  runtime: runtimeRules,
  http: httpRules,
  saturation: saturationRules,
  cache: cacheRules,
  telemetry: telemetryRules,
};
