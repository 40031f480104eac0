/** Options of a scenario file, as far as they are judged here. */
export interface ScenarioOptions {
  readonly scenarios: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly thresholds: Readonly<Record<string, readonly (string | { readonly threshold: string })[]>>;
}

const shared = ['executor', 'exec', 'startTime', 'gracefulStop', 'env', 'tags'];
const arrival = ['timeUnit', 'preAllocatedVUs', 'maxVUs'];
/** Executors of k6 2 that the scenarios may use, with what each must have and what else it may. */
const executors: Readonly<
  Record<string, { readonly must: readonly string[]; readonly may: readonly string[] }>
> = {
  'constant-arrival-rate': { must: ['rate', 'duration', 'preAllocatedVUs'], may: arrival },
  'ramping-arrival-rate': { must: ['stages', 'preAllocatedVUs'], may: ['startRate', ...arrival] },
  'per-vu-iterations': { must: ['vus', 'iterations', 'maxDuration'], may: [] },
};
const counts = ['rate', 'preAllocatedVUs', 'maxVUs', 'vus', 'iterations'];
const durations = ['duration', 'startTime', 'timeUnit', 'gracefulStop', 'maxDuration'];

const builtIn: Readonly<Record<string, string>> = {
  http_req_duration: 'trend',
  http_req_failed: 'rate',
  http_reqs: 'counter',
  checks: 'rate',
  dropped_iterations: 'counter',
  iterations: 'counter',
};
const aggregations: Readonly<Record<string, RegExp>> = {
  trend: /^(avg|min|max|med|p\(\d+(\.\d+)?\))$/,
  rate: /^rate$/,
  counter: /^(count|rate)$/,
  gauge: /^value$/,
};

/**
 * What k6 would refuse or ignore of a file's options, or what this repository wants of them besides: arrival rates, and
 * thresholds for each scenario. An empty list when all is well.
 */
export function problemsOf(
  { scenarios, thresholds }: ScenarioOptions,
  functions: readonly string[],
  customMetrics: Readonly<Record<string, string>> = {},
): string[] {
  return [
    ...Object.entries(scenarios).flatMap(([name, one]) =>
      scenarioProblems(one, functions).map(problem => `${name}: ${problem}`),
    ),
    ...Object.entries(thresholds).flatMap(([name, sources]) =>
      thresholdProblems(name, sources, Object.keys(scenarios), { ...builtIn, ...customMetrics }),
    ),
    ...Object.entries(scenarios)
      .filter(([, { executor }]) => String(executor).endsWith('arrival-rate'))
      .filter(([name]) => !Object.keys(thresholds).some(one => one.includes(`{scenario:${name}}`)))
      .map(([name]) => `${name}: has no threshold`),
  ];
}

function scenarioProblems(
  scenario: Readonly<Record<string, unknown>>,
  functions: readonly string[],
): string[] {
  const executor = executors[String(scenario['executor'])];
  if (executor === undefined) return [`no such executor: ${scenario['executor']}`];
  const known = [...shared, ...executor.must, ...executor.may];
  const stages = (scenario['stages'] ?? []) as readonly { target: unknown; duration: unknown }[];
  const wholeNumber = (value: unknown, least: number): boolean =>
    Number.isInteger(value) && Number(value) >= least;
  return [
    ...executor.must.filter(key => scenario[key] === undefined).map(key => `has no ${key}`),
    ...Object.keys(scenario)
      .filter(key => !known.includes(key))
      .map(key => `${key} is unknown`),
    ...counts
      .filter(key => scenario[key] !== undefined && !wholeNumber(scenario[key], 1))
      .map(key => `${key} is ${scenario[key]}`),
    ...durations
      .filter(key => scenario[key] !== undefined && !isDuration(scenario[key]))
      .map(key => `${key} is ${scenario[key]}`),
    ...stages
      .filter(({ target, duration }) => !wholeNumber(target, 0) || !isDuration(duration))
      .map(stage => `a stage is ${JSON.stringify(stage)}`),
    ...(Number(scenario['maxVUs'] ?? Number.POSITIVE_INFINITY) < Number(scenario['preAllocatedVUs'] ?? 0)
      ? ['maxVUs is less than preAllocatedVUs']
      : []),
    ...(functions.includes(String(scenario['exec'] ?? 'default')) ? [] : [`exports no ${scenario['exec']}`]),
  ];
}

const isDuration = (value: unknown): boolean => /^(\d+h)?(\d+m)?(\d+s)?$/.test(String(value)) && value !== '';

function thresholdProblems(
  name: string,
  sources: ScenarioOptions['thresholds'][string],
  scenarios: readonly string[],
  metrics: Readonly<Record<string, string>>,
): string[] {
  const [, metric = '', tag, value = ''] = /^(\w+)(?:\{(\w+):([^{},]+)\})?$/.exec(name) ?? [];
  const type = metrics[metric];
  if (type === undefined) return [`threshold of an unknown metric: ${name}`];
  if (tag === 'scenario' && !scenarios.includes(value)) return [`threshold of an unknown scenario: ${name}`];
  if (tag === 'name' && !/^\/[a-zA-Z/:]*$/.test(value)) return [`threshold of no route: ${name}`];
  return sources
    .map(one => (typeof one === 'string' ? one : one.threshold))
    .filter(source => {
      const [, aggregation = ''] = /^(\S+?)(?:<=|>=|<|>|===?|!=)\d+(?:\.\d+)?$/.exec(source) ?? [];
      return !aggregations[type]!.test(aggregation);
    })
    .map(source => `no expression for a ${type}: ${name} ${source}`);
}
