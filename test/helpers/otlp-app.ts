import { join } from 'node:path';
import { type App, type AppOptions, register, repository, startApp } from './app';
import type { OtlpServer, ReceivedSpan } from './otlp-server';

export const otlpApps = join(repository, 'test', 'fixtures', 'apps', 'use-otlp');

/** An environment in which everything goes to `server`, soon, and at the end of a slow machine's process as well. */
export function otlpEnv(server: Pick<OtlpServer, 'url'>): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_SERVICE_NAME: 'shop',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BLRP_SCHEDULE_DELAY: '100',
    VITALS_SHUTDOWN_TIMEOUT_MS: '10000',
  };
}

/** Spawns an application of the fixture; ES modules come with `--import`. */
export function startOtlpApp(
  script: string,
  env: NonNullable<AppOptions['env']>,
  options: AppOptions = {},
): App {
  return startApp(join(otlpApps, script), {
    ...(script.endsWith('.mjs') ? { nodeArgs: ['--import', register] } : {}),
    env,
    ...options,
  });
}

/** Where an application that prints `listening on <port>` listens. */
export async function urlOf(app: App): Promise<string> {
  return `http://127.0.0.1:${(await app.printed(/listening on (\d+)/))[1]}`;
}

/** A span and what hangs below it, by name; `what` tells it from others that are as deep. */
export interface Tree {
  readonly span: ReceivedSpan;
  readonly children: readonly Tree[];
}

/** The tree of the trace that `root` begins, out of all spans received. */
export function treeOf(root: ReceivedSpan, spans: readonly ReceivedSpan[]): Tree {
  const children = spans.filter(span => span.traceId === root.traceId && span.parentSpanId === root.spanId);
  return { span: root, children: children.map(child => treeOf(child, spans)) };
}

/** All spans of a tree. */
export function spansIn({ span, children }: Tree): ReceivedSpan[] {
  return [span, ...children.flatMap(spansIn)];
}
