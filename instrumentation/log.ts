import { writeStderr } from './stderr';

/** Diagnostics of the agent, one line each. Never throws. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  /** Like `warn`, but says a thing once however often it happens. */
  warnOnce(key: string, message: string): void;
  /** What was asked for, such as a port that was free: no warning, and said wherever warnings are. */
  notice(message: string): void;
  info(message: string): void;
  debug(message: string): void;
  /** Warnings and errors so far, those not printed included. */
  readonly warnings: number;
}

export const logLevels = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Keys that `warnOnce` remembers; past that a repeated warning is dropped rather than memory held. */
const maxOnceKeys = 1000;

/** Diagnostics at and above `level`, written by `write` (default: stderr). */
export function createLog(level: LogLevel, write: (line: string) => void = writeStderr): Log {
  const threshold = logLevels.indexOf(level);
  const said = new Set<string>();
  let warnings = 0;
  const say = (at: LogLevel, message: string, from: LogLevel = at): void => {
    if (at === 'warn' || at === 'error') warnings++;
    if (logLevels.indexOf(from) > threshold) return;
    try {
      write(`otel-vitals ${at}: ${message.replaceAll(/\s*\n\s*/g, ' | ')}\n`);
    } catch {
      // What can't be said must not become the application's failure.
    }
  };
  return {
    error: message => say('error', message),
    warn: message => say('warn', message),
    warnOnce(key, message) {
      if (said.has(key) || said.size >= maxOnceKeys) {
        warnings++;
        return;
      }
      said.add(key);
      say('warn', message);
    },
    notice: message => say('info', message, 'warn'),
    info: message => say('info', message),
    debug: message => say('debug', message),
    get warnings() {
      return warnings;
    },
  };
}

/** The message of anything thrown, with its code where that says more. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  const own =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map(errorText).join('; ')
      : error.message;
  return code !== undefined && !own.includes(String(code)) ? `${own} (${code})` : own;
}
