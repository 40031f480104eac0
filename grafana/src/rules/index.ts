import { cacheRules } from './cache';
import { httpRules } from './http';
import { processRules } from './process';
import type { RuleFile } from './rule';
import { runtimeRules } from './runtime';
import { saturationRules } from './saturation';
import { scaled, type TimeScale } from './scale';
import { telemetryRules } from './telemetry';

const definitions: Readonly<Record<string, () => RuleFile>> = {
  process: processRules,
  runtime: runtimeRules,
  http: httpRules,
  saturation: saturationRules,
  cache: cacheRules,
  telemetry: telemetryRules,
};

/** Every file of rules, by its name; with a scale on another clock. */
export function ruleFiles(scale?: TimeScale): Readonly<Record<string, RuleFile>> {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, define]) => [
      name,
      scale === undefined ? define() : scaled(define(), scale),
    ]),
  );
}
