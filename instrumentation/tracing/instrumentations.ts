import FastifyOtelInstrumentation from '@fastify/otel';
import { createNoopMeter } from '@opentelemetry/api';
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { KnexInstrumentation } from '@opentelemetry/instrumentation-knex';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { isEnabled } from '../config/load';
import type { Config } from '../config/options';
import { httpInstrumentation } from './http';

/** One per library; each hooks its library as soon as it is made. */
const makers: Record<string, () => Instrumentation> = {
  undici: () => new UndiciInstrumentation(),
  knex: () => new KnexInstrumentation(),
  pg: () => new PgInstrumentation(),
  redis: () => new RedisInstrumentation(),
  ioredis: () => new IORedisInstrumentation(),
  express: () => new ExpressInstrumentation(),
  fastify: () => new FastifyOtelInstrumentation({ registerOnInitialization: true }),
};

/** The agent's own meters measure the same things; measured here too, they would be counted twice. */
const noMetrics = { getMeter: () => createNoopMeter() };

/**
 * Hooks the official instrumentations into the libraries that the configuration leaves in.
 *
 * @param onFailure told of an instrumentation that does not start; the others do
 * @returns a function that ends them
 */
export function startInstrumentations(
  config: Config,
  onFailure: (library: string, error: unknown) => void,
): () => void {
  const instrumentations: Instrumentation[] = [];
  const add = (library: string, make: () => Instrumentation): void => {
    try {
      instrumentations.push(make());
    } catch (error) {
      onFailure(library, error);
    }
  };
  if (isEnabled(config, 'http-server') || isEnabled(config, 'http-client')) {
    add('http', () => httpInstrumentation(config));
  }
  for (const [library, make] of Object.entries(makers)) {
    if (isEnabled(config, library)) add(library, make);
  }
  return registerInstrumentations({ instrumentations, meterProvider: noMetrics });
}
