import type { ContextManager, MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';

/** What all copies of `@opentelemetry/api` 1.x in a process share. */
export interface ApiGlobal {
  /** Of the copy that registered something first. Sealed where that copy is 1.10 or newer. */
  version: string;
  metrics?: MeterProvider;
  trace?: TracerProvider;
  context?: ContextManager;
  propagation?: TextMapPropagator;
  diag?: object;
  /** From 1.10 on. */
  logs?: object;
}

export type ApiName = Exclude<keyof ApiGlobal, 'version'>;

/** Where it is. */
export const apiKey = Symbol.for('opentelemetry.js.api.1');

export function apiGlobal(): ApiGlobal | undefined {
  return (globalThis as { [apiKey]?: ApiGlobal })[apiKey];
}

/** Takes `instance` back from where it was registered, if it is still there and nobody else's is. */
export function unregister(name: ApiName, instance: object): void {
  const api = apiGlobal();
  if (api?.[name] === instance) delete api[name];
}
