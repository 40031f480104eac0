import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from '../../helpers/k6-options';

const good = {
  executor: 'constant-arrival-rate',
  exec: 'customer',
  rate: 5,
  timeUnit: '1s',
  duration: '1m30s',
  preAllocatedVUs: 2,
  maxVUs: 20,
};
const held = { 'http_req_duration{scenario:customers}': ['p(95)<500'] };
const problems = (scenario: object, thresholds: Record<string, (string | { threshold: string })[]> = held) =>
  problemsOf({ scenarios: { customers: { ...good, ...scenario } }, thresholds }, ['customer'], {
    purchases: 'rate',
  });

test('options that k6 takes have no problems', () => {
  assert.deepEqual(problems({}), []);
  assert.deepEqual(
    problems(
      {},
      {
        ...held,
        purchases: ['rate>0.9'],
        'http_req_duration{name:/carts/:id}': ['p(99.9)<200', { threshold: 'max<1000' }],
        'dropped_iterations{scenario:customers}': ['count<1'],
      },
    ),
    [],
  );
});

test('each mistake that k6 would end on, or not notice, is named', () => {
  const cases: readonly [object, string][] = [
    [{ executor: 'externally-controlled' }, 'customers: no such executor: externally-controlled'],
    [{ duration: '90' }, 'customers: duration is 90'],
    [{ rate: 2.5 }, 'customers: rate is 2.5'],
    [{ maxVUs: 1 }, 'customers: maxVUs is less than preAllocatedVUs'],
    [{ stages: [] }, 'customers: stages is unknown'],
    [{ exec: 'buyer' }, 'customers: exports no buyer'],
    [
      {
        executor: 'ramping-arrival-rate',
        rate: undefined,
        duration: undefined,
        stages: [{ target: 1.5, duration: '5s' }],
      },
      'customers: a stage is {"target":1.5,"duration":"5s"}',
    ],
  ];
  for (const [change, problem] of cases) {
    const { rate, duration, ...rest } = { ...good, ...change };
    const scenario = {
      ...rest,
      ...(rate !== undefined && { rate }),
      ...(duration !== undefined && { duration }),
    };
    assert.deepEqual(problemsOf({ scenarios: { customers: scenario }, thresholds: held }, ['customer']), [
      problem,
    ]);
  }
});

test('a threshold must be of a metric, a scenario and a route that there are, and fit the type of the metric', () => {
  const cases: readonly [string, string, string][] = [
    ['http_duration', 'p(95)<5', 'threshold of an unknown metric: http_duration'],
    ['checks{scenario:buyers}', 'rate>0.9', 'threshold of an unknown scenario: checks{scenario:buyers}'],
    ['checks{name:/carts/17}', 'rate>0.9', 'threshold of no route: checks{name:/carts/17}'],
    ['checks', 'p(95)<500', 'no expression for a rate: checks p(95)<500'],
    ['http_req_duration', 'rate<0.1', 'no expression for a trend: http_req_duration rate<0.1'],
    ['dropped_iterations', 'count=0', 'no expression for a counter: dropped_iterations count=0'],
  ];
  for (const [name, source, problem] of cases) {
    assert.deepEqual(problems({}, { ...held, [name]: [source] }), [problem]);
  }
  assert.deepEqual(problems({}, {}), ['customers: has no threshold']);
});
