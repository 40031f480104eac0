import type { Environment } from './config/load';

/** The process's environment; nothing else in the agent reads it, and nothing writes it. */
export function environment(): Environment {
  return process.env;
}

/** Whether the agent is switched off: decided before anything is loaded, so this imports nothing. */
export function isDisabled(env: Environment): boolean {
  return env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';
}
