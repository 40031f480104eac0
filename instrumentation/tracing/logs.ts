import { logs } from '@opentelemetry/api-logs';
import type { Resource } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { apiGlobal, unregister } from '../api-global';
import type { Config } from '../config/options';

/** Takes in the log records that the application makes through the OpenTelemetry API. */
export function startLogs(
  config: Config,
  resource: Resource,
  processors: LogRecordProcessor[],
): { shutdown(): Promise<void> } {
  const length = config.logAttributeLengthLimit ?? config.attributeLengthLimit;
  const provider = new LoggerProvider({
    resource,
    processors,
    logRecordLimits: {
      attributeCountLimit: config.logAttributeCountLimit ?? config.attributeCountLimit,
      ...(length === undefined ? {} : { attributeValueLengthLimit: length }),
    },
  });
  logs.setGlobalLoggerProvider(provider);
  // `@opentelemetry/api` has logs of its own from 1.10 on, kept in another place.
  const api = apiGlobal();
  if (api !== undefined) api.logs ??= provider;
  return {
    async shutdown() {
      if (logs.getLoggerProvider() === provider) logs.disable();
      unregister('logs', provider);
      await provider.shutdown();
    },
  };
}
