import { parseArgs } from 'node:util';

/** What the demo was asked for. */
export interface DemoArguments {
  readonly help: boolean;
  /** Seconds of load; undefined: until it is interrupted. */
  readonly duration: number | undefined;
  /** Requests per second. */
  readonly rate: number;
}

/** The demo was asked for something it does not know. */
export class ArgumentError extends Error {
  readonly code = 'DEMO_ARGUMENT_INVALID';
  override readonly name = 'ArgumentError';
}

export const usage = `Usage: npm run demo -- [options]

Starts the mall under the preload, with PostgreSQL and Redis, drives a modest load
and shows its vital signs once a second. Ctrl-C ends everything and prints a summary.

Options:
  --duration <seconds>  end by itself after so many seconds of load
  --rate <requests>     requests per second, 1 to 500 (default 60)
  --help                this text

Environment:
  DATABASE_URL                   PostgreSQL to use; the demo makes a database of its own there and
                                 removes it. Without: an embedded PostgreSQL
  REDIS_URL                      Redis to use; the keys that the demo sets there expire by themselves.
                                 Without: a local redis-server is started
  PORT                           port of the shop (default 3000, else a free one)
  OTEL_EXPORTER_PROMETHEUS_PORT  port of the metrics (default 9464, else a free one)
  VITALS_ADMIN_PORT              port of the admin server (default 6060, else a free one); VITALS_ADMIN=false
                                 leaves it out
`;

/**
 * Reads the command line.
 *
 * @throws {@link ArgumentError}
 */
export function readArguments(args: readonly string[]): DemoArguments {
  const values = parse(args);
  const number = (name: 'duration' | 'rate', min: number, max: number): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new ArgumentError(`--${name}: expected a number from ${min} to ${max}, got "${text}"`);
  };
  return {
    help: values.help ?? false,
    duration: number('duration', 1, 86_400),
    rate: number('rate', 1, 500) ?? 60,
  };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      duration: { type: 'string' },
      rate: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new ArgumentError((error as Error).message);
  }
}
