import { poolUseBounds, poolWaitBounds } from '../../toolkit/object-pool/stats';
import { attribute, metric } from './define';

const meter = 'object-pool';
const poolName = attribute('pool.name', "The pool's name as its maker gave it", {
  bound: 'pools the application makes',
});
const kind = attribute('pool.kind', 'Which of the pools of the toolkit it is', {
  values: ['object', 'buffer', 'http_response', 'connection'],
});
const state = attribute('pool.state', 'Whether the object waits or is in use', { values: ['idle', 'used'] });
const failure = attribute('pool.failure', 'What went wrong', {
  values: ['exhausted', 'aborted', 'closed', 'create', 'validate', 'reset', 'destroy'],
});
const attributes = [poolName, kind] as const;

export const poolMetrics = {
  acquired: metric(meter, 'vitals.pool.acquired', 'counter', '{object}', 'Objects handed out', {
    attributes,
  }),
  reused: metric(
    meter,
    'vitals.pool.reused',
    'counter',
    '{object}',
    'Objects handed out for which none had to be created',
    { attributes },
  ),
  released: metric(meter, 'vitals.pool.released', 'counter', '{object}', 'Objects given back', {
    attributes,
  }),
  created: metric(meter, 'vitals.pool.created', 'counter', '{object}', 'Objects made', { attributes }),
  destroyed: metric(
    meter,
    'vitals.pool.destroyed',
    'counter',
    '{object}',
    'Objects that the pool let go: broken, too many, too old, cleared',
    { attributes },
  ),
  leaked: metric(
    meter,
    'vitals.pool.leaked',
    'counter',
    '{object}',
    'Objects dropped in use and collected as garbage',
    { attributes },
  ),
  size: metric(meter, 'vitals.pool.size', 'gauge', '{object}', 'Objects there are', {
    attributes: [...attributes, state],
  }),
  limit: metric(meter, 'vitals.pool.limit', 'gauge', '{object}', 'Most objects there may be', {
    attributes,
  }),
  memory: metric(meter, 'vitals.pool.memory', 'gauge', 'By', 'Memory of the buffers of a buffer pool', {
    attributes: [...attributes, state],
  }),
  pending: metric(meter, 'vitals.pool.pending', 'gauge', '{request}', 'Callers that wait for an object', {
    attributes,
  }),
  waitTime: metric(meter, 'vitals.pool.wait_time', 'histogram', 's', 'Time from asking to getting', {
    attributes,
    buckets: poolWaitBounds,
  }),
  useTime: metric(
    meter,
    'vitals.pool.use_time',
    'histogram',
    's',
    'Time from getting to giving back, where it is measured',
    { attributes, buckets: poolUseBounds },
  ),
  timeouts: metric(meter, 'vitals.pool.timeouts', 'counter', '{timeout}', 'Callers that gave up waiting', {
    attributes,
  }),
  failures: metric(
    meter,
    'vitals.pool.failures',
    'counter',
    '{failure}',
    'Callers refused and callbacks that failed, timeouts left out',
    { attributes: [...attributes, failure] },
  ),
} as const;
