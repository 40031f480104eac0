/**
 * The globals that the agent lives by, as they are when it starts. The build puts these in place of the free names in
 * every bundle, those of OpenTelemetry's packages included, so that an application which deletes or replaces its
 * globals (fake timers, shims of another platform) changes nothing for the agent.
 */
const scope = globalThis;

export const {
  Buffer,
  // biome-ignore lint/suspicious/noShadowRestrictedNames: taking its place is what this file is for
  Date,
  URL,
  TextDecoder,
  TextEncoder,
  clearImmediate,
  clearInterval,
  clearTimeout,
  performance,
  process,
  queueMicrotask,
  setImmediate,
  setInterval,
  setTimeout,
} = scope;
