import { isEnabled } from '../config/load';
import { errorText } from '../log';
import type { MeterName } from '../names';
import { meterBatchProcessor } from './batch-processor';
import { meterCache } from './cache';
import { meterChannel } from './channel';
import type { Meter, MeterContext } from './context';
import { meterDatabase } from './database';
import { meterEventLoop } from './event-loop';
import { meterGc } from './gc';
import type { GcSource } from './gc-source';
import { meterHeap } from './heap';
import { meterHttpClient } from './http-client';
import { meterHttpServer } from './http-server';
import { meterLock } from './lock';
import { meterNetworkClient } from './network-client';
import { meterCompression, meterConnections, meterEndpoints, meterHttp2 } from './network-server';
import { meterObjectPool } from './object-pool';
import { meterProcess } from './process';
import { meterSelf } from './self';
import { meterSharedQueue } from './shared-queue';
import { meterStalls } from './stall';
import { meterThreads } from './threads';
import { meterWorkerPool } from './worker-pool';

/** Starts every meter that is wanted. One that fails is left out, with a warning. */
export function startMeters(
  context: MeterContext,
  gc: GcSource,
  facts: Parameters<typeof meterSelf>[0],
): () => void {
  const meters: readonly (readonly [MeterName, Meter])[] = [
    ['process', meterProcess],
    ['heap', meterHeap(gc)],
    ['gc', meterGc(gc)],
    ['event-loop', meterEventLoop],
    ['event-loop', meterStalls],
    ['threads', meterThreads],
    ['http-server', meterHttpServer],
    ['http-server', meterCompression],
    ['http-server', meterEndpoints],
    ['http-server', meterConnections],
    ['http-server', meterHttp2],
    ['http-client', meterHttpClient],
    ['http-client', meterNetworkClient],
    ['db-pool', meterDatabase],
    ['cache', meterCache],
    ['object-pool', meterObjectPool],
    ['worker-pool', meterWorkerPool],
    ['channel', meterChannel],
    ['channel', meterBatchProcessor],
    ['lock', meterLock],
    ['lock', meterSharedQueue],
    ['self', meterSelf(facts)],
  ];
  const stops: (() => void)[] = [];
  for (const [name, meter] of meters) {
    if (!isEnabled(context.config, name)) continue;
    try {
      stops.push(meter(context));
    } catch (error) {
      context.log.warn(`the meter ${name} did not start: ${errorText(error)}`);
    }
  }
  return () => {
    for (const stop of stops) stop();
  };
}
