import type { Config } from '../config/options';

export type SignalExporter = 'otlp' | 'console';

type Asked = readonly (SignalExporter | 'none')[] | undefined;

/** Where traces go: as configured, else over OTLP once there is an endpoint for them. */
export function tracesExporters(config: Config): readonly SignalExporter[] {
  return resolve(config.tracesExporters, config.otlpEndpoint ?? config.otlpTracesEndpoint);
}

/** Where log records go, by the same rule. */
export function logsExporters(config: Config): readonly SignalExporter[] {
  return resolve(config.logsExporters, config.otlpEndpoint ?? config.otlpLogsEndpoint);
}

function resolve(asked: Asked, endpoint: string | undefined): readonly SignalExporter[] {
  if (asked === undefined) return endpoint === undefined ? [] : ['otlp'];
  return asked.filter(exporter => exporter !== 'none');
}
