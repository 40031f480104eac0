import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { apiGlobal, unregister } from '../instrumentation/api-global';
import { errorText, type Log, type LogLevel } from '../instrumentation/log';

/** The same message is said at most this often. */
const repeatAfterMs = 60_000;
/** Messages remembered; past that the memory starts anew rather than grow. */
const maxRemembered = 200;
/** OpenTelemetry logs whole batches at debug level; the rest of such a line helps nobody. */
const maxLength = 500;
/** Said to the logger that goes when the application sets its own. */
const replaced = 'Current logger will be overwritten';

const levels: Record<LogLevel, DiagLogLevel> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

/**
 * Lets what OpenTelemetry's packages have to say come out in the agent's own log, at the same level. A logger that
 * the application has set stays, before and after.
 *
 * @returns a function that takes it back
 */
export function routeDiag(log: Log, level: LogLevel): () => void {
  if (apiGlobal()?.diag !== undefined) return () => {};
  diag.setLogger(createDiagLogger(log), { logLevel: levels[level], suppressOverrideMessage: true });
  const ours = apiGlobal()?.diag;
  return () => {
    if (ours !== undefined) unregister('diag', ours);
  };
}

/** A logger for OpenTelemetry's `diag` that says the same thing at most once a minute. */
export function createDiagLogger(log: Log, now: () => number = Date.now): DiagLogger {
  const remembered = new Map<string, { since: number; held: number }>();
  const say = (write: (message: string) => void, parts: readonly unknown[]): void => {
    const message = parts.map(textOf).join(' ').slice(0, maxLength);
    if (message.startsWith(replaced)) return;
    // What differs only in its numbers is the same thing again.
    const key = message.replace(/\d+/g, '#');
    const known = remembered.get(key);
    if (known !== undefined && now() - known.since < repeatAfterMs) {
      known.held++;
      return;
    }
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(key, { since: now(), held: 0 });
    write(known === undefined || known.held === 0 ? message : `${message} (and ${known.held} times before)`);
  };
  return {
    error: (...parts) => say(log.error, parts),
    warn: (...parts) => say(log.warn, parts),
    info: (...parts) => say(log.info, parts),
    debug: (...parts) => say(log.debug, parts),
    verbose: (...parts) => say(log.debug, parts),
  };
}

function textOf(part: unknown): string {
  if (typeof part === 'string') return exceptionText(part) ?? part;
  if (part instanceof Error) return errorText(part);
  try {
    return JSON.stringify(part) ?? String(part);
  } catch {
    return String(part);
  }
}

/** OpenTelemetry's global error handler logs an exception as JSON with its stack; the message is what counts. */
function exceptionText(text: string): string | undefined {
  if (!text.startsWith('{"') || !text.includes('"message"')) return undefined;
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
