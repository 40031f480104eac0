import { selfMetrics } from '../catalogue/self';
import { isEnabled } from '../config/load';
import type { MeterContext } from '../meters/context';
import { createOperations } from '../meters/db-operations';
import { createPools } from '../meters/db-pool';
import type { LibraryName } from '../names';
import { expressTargets } from './express';
import { hookFastify } from './fastify';
import { honoTargets } from './hono';
import { ioredisTargets } from './ioredis';
import { knexTargets } from './knex';
import { koaTargets } from './koa';
import { hookModules } from './modules';
import { nodeRedisTargets } from './node-redis';
import { createPatcher } from './patcher';
import { pgTargets } from './pg';
import { expectMarks } from './request-marks';
import type { Target } from './target';
import { undiciTargets } from './undici';

/** Those that mark requests with their route. */
const webFrameworks: ReadonlySet<LibraryName> = new Set(['express', 'fastify', 'koa', 'hono']);

/**
 * Hooks the libraries that are wanted, and none that would report to a meter that is not.
 *
 * A library that is bundled into the application's own file cannot be told from it and is not seen. ES modules are
 * seen under `--import` only; see esm-hooks.ts.
 *
 * @param others modules of no library that are hooked besides
 * @returns a function that takes the hooks back
 */
export function installLibraryHooks(context: MeterContext, others: readonly Target[]): () => void {
  const { config, registry, log } = context;
  const wanted = (name: string): boolean => isEnabled(config, name);
  const instrumented = registry.instrument(selfMetrics.instrumented);
  const onHooked = (library: LibraryName): void => {
    instrumented.with({ library }).add();
    if (webFrameworks.has(library)) expectMarks();
  };
  const patcher = createPatcher(log);

  const operations = wanted('db-operations') ? createOperations(context) : undefined;
  const { pools, dispose: disposePools } = wanted('db-pool')
    ? createPools(context)
    : { pools: undefined, dispose: () => {} };
  const meters = { operations, pools };

  const routes = wanted('http-server');
  const express = routes && wanted('express') ? expressTargets() : undefined;
  const stopFastify = routes && wanted('fastify') ? hookFastify(patcher, onHooked) : undefined;

  const unhook = hookModules(
    [
      ...(wanted('knex') ? knexTargets(meters) : []),
      ...(wanted('pg') ? pgTargets(meters) : []),
      ...(wanted('redis') ? nodeRedisTargets(meters) : []),
      ...(wanted('ioredis') ? ioredisTargets(meters) : []),
      ...(wanted('http-client') && wanted('undici') ? undiciTargets() : []),
      ...(express?.targets ?? []),
      ...(routes && wanted('koa') ? koaTargets() : []),
      ...(routes && wanted('hono') ? honoTargets() : []),
      ...others,
    ],
    log,
    onHooked,
  );

  return () => {
    unhook();
    stopFastify?.();
    express?.dispose();
    disposePools();
    patcher.undo();
  };
}
