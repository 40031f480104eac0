import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { folderWith, repository } from './app';

/** Copies of `@opentelemetry/api` beside the agent's, by where they come from. */
const packages = {
  older: 'otel-api-older',
  'the same': '@opentelemetry/api',
  newer: 'otel-api-newer',
} as const;

export type ApiVersion = keyof typeof packages;
export const apiVersions = Object.keys(packages) as ApiVersion[];

/** A folder with an application whose node_modules has a copy of `@opentelemetry/api` of its own. */
export function folderWithApi(
  version: ApiVersion,
  files: Readonly<Record<string, string>>,
): ReturnType<typeof folderWith> {
  const folder = folderWith(files);
  copyPackage(packages[version], folder.path('node_modules/@opentelemetry/api'));
  return folder;
}

/** Such a folder with OpenTelemetry's SDK beside it, as the package `own-sdk`, which uses that copy. */
export async function folderWithSdk(
  version: ApiVersion,
  files: Readonly<Record<string, string>>,
): Promise<ReturnType<typeof folderWith>> {
  const folder = folderWithApi(version, files);
  copyPackage('@opentelemetry/api-logs', folder.path('node_modules/@opentelemetry/api-logs'));
  const parts = ['sdk-metrics', 'sdk-trace', 'context-async-hooks'].map(
    part => `export * from '@opentelemetry/${part}';`,
  );
  await build({
    stdin: {
      contents: [...parts, "export { W3CTraceContextPropagator } from '@opentelemetry/core';"].join('\n'),
      resolveDir: repository,
    },
    outfile: folder.path('node_modules/own-sdk/index.js'),
    bundle: true,
    platform: 'node',
    external: ['@opentelemetry/api', '@opentelemetry/api-logs'],
    logLevel: 'warning',
  });
  return folder;
}

function copyPackage(name: string, to: string): void {
  cpSync(join(repository, 'node_modules', name), to, {
    recursive: true,
    filter: path => !path.endsWith('.map') && !path.endsWith('.ts'),
  });
}
