import { cacheMetrics } from './cache';
import { batchMetrics, channelMetrics } from './channel';
import { databaseMetrics, dbOperationMetrics, dbPoolMetrics } from './database';
import type { Metric } from './define';
import { diagnosisMetrics } from './diagnosis';
import { httpClientMetrics, httpServerMetrics } from './http';
import { lockMetrics, sharedQueueMetrics } from './lock';
import { networkClientMetrics } from './network-client';
import { compressionMetrics, connectionPoolMetrics, endpointMetrics, http2Metrics } from './network-server';
import { poolMetrics } from './object-pool';
import { processMetrics } from './process';
import { profilingMetrics } from './profiling';
import { eventLoopMetrics, gcMetrics, heapMetrics, threadMetrics } from './runtime';
import { selfMetrics } from './self';
import { workerPoolMetrics } from './worker-pool';

export {
  batchMetrics,
  cacheMetrics,
  channelMetrics,
  compressionMetrics,
  connectionPoolMetrics,
  databaseMetrics,
  dbOperationMetrics,
  dbPoolMetrics,
  diagnosisMetrics,
  endpointMetrics,
  eventLoopMetrics,
  gcMetrics,
  heapMetrics,
  http2Metrics,
  httpClientMetrics,
  httpServerMetrics,
  lockMetrics,
  networkClientMetrics,
  poolMetrics,
  processMetrics,
  profilingMetrics,
  selfMetrics,
  sharedQueueMetrics,
  threadMetrics,
  workerPoolMetrics,
};

/** Every metric there is, in the order of the documentation. */
export const catalogue: readonly Metric[] = [
  processMetrics,
  heapMetrics,
  gcMetrics,
  eventLoopMetrics,
  threadMetrics,
  httpServerMetrics,
  compressionMetrics,
  endpointMetrics,
  connectionPoolMetrics,
  http2Metrics,
  httpClientMetrics,
  networkClientMetrics,
  dbPoolMetrics,
  dbOperationMetrics,
  databaseMetrics,
  cacheMetrics,
  poolMetrics,
  workerPoolMetrics,
  channelMetrics,
  batchMetrics,
  lockMetrics,
  sharedQueueMetrics,
  diagnosisMetrics,
  profilingMetrics,
  selfMetrics,
].flatMap(family => Object.values<Metric>(family));
