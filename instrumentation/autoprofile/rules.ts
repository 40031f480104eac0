import type { Config } from '../config/options';
import { type RuleName, ruleNames } from '../names';
import type { CaptureKind } from '../profiling/capture';
import type { Thresholds } from './detector';

/** A rule: what it watches and what it has taken. */
export interface Rule {
  readonly name: RuleName;
  readonly unit: string;
  readonly thresholds: Thresholds;
  /**
   * What to take, one after the other. Of alternatives the first is taken that can be had: `allocs` can't where
   * somebody else has V8's heap sampler.
   */
  readonly captures: readonly (readonly CaptureKind[])[];
}

const kinds: Readonly<Record<RuleName, Pick<Rule, 'unit' | 'captures'>>> = {
  stall: { unit: 'ms', captures: [['block']] },
  // The heap goes first, because allocs begins its sampling anew.
  gc: { unit: '%', captures: [['heap'], ['allocs', 'cpu']] },
  heap: { unit: 'MiB', captures: [['heap']] },
  resources: { unit: 'resources', captures: [['goroutine']] },
  delay: { unit: 'ms', captures: [['cpu']] },
  response: { unit: 'ms', captures: [['goroutine'], ['cpu']] },
  cpu: { unit: '%', captures: [['cpu']] },
};

/** The rules that are wanted, first the one that explains the others. */
export function rulesOf(config: Config): Rule[] {
  const thresholds: Readonly<Record<RuleName, Thresholds>> = {
    stall: { min: 0, rise: 0, ...config.autoprofileStall },
    gc: config.autoprofileGc,
    heap: config.autoprofileHeap,
    resources: config.autoprofileResources,
    delay: config.autoprofileDelay,
    response: config.autoprofileResponse,
    cpu: config.autoprofileCpu,
  };
  return ruleNames
    .filter(name => config.autoprofileRules.includes(name))
    .map(name => ({ name, ...kinds[name], thresholds: thresholds[name] }));
}
