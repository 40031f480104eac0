/** Settings of the shop, complete and checked. */
export interface Config {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly databaseUrl: string;
  /** Most connections to the database. */
  readonly databasePoolMax: number;
  /** Absent: carts and caches live in this process only. */
  readonly redisUrl: string | undefined;
  /** Absent: a payment gateway of the shop's own, in this process. */
  readonly paymentUrl: string | undefined;
  /** A transaction that is open for longer counts as leaked. */
  readonly databaseLeakAfterMs: number;
  /** How long one call of the payment gateway may take. */
  readonly paymentTimeoutMs: number;
  /** How long a checkout waits for others that want the same products. */
  readonly stockWaitMs: number;
  /** Orders that are pending for longer are settled by whoever finds them: their checkout is over. */
  readonly settleAfterMs: number;
  /** How often it is looked for such orders. */
  readonly reconcileMs: number;
  /** Processes that share the port; 1 is one process without a primary. */
  readonly workers: number;
  /** Faults on purpose, for whoever asks for them: never where somebody buys. */
  readonly faults: boolean;
  readonly logLevel: string;
  /** How long a shutdown may take before the process ends anyway. */
  readonly shutdownTimeoutMs: number;
}

/** The environment does not make a configuration; the message lists everything that is wrong with it. */
export class ConfigError extends Error {
  readonly code = 'MALL_CONFIG_INVALID';
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`The shop cannot start:\n${problems.map(problem => `  ${problem}`).join('\n')}`);
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * Reads the configuration from `env`: DATABASE_URL, REDIS_URL, HOST, PORT, LOG_LEVEL, DATABASE_POOL_MAX, PAYMENT_URL,
 * DATABASE_LEAK_AFTER_MS,
 * PAYMENT_TIMEOUT_MS, STOCK_WAIT_MS, ORDER_SETTLE_AFTER_MS, ORDER_RECONCILE_MS, MALL_WORKERS, MALL_FAULTS,
 * SHUTDOWN_TIMEOUT_MS.
 *
 * @throws {@link ConfigError} with all problems at once
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const integer = (name: string, preset: number, min: number, max: number): number => {
    const text = env[name];
    if (text === undefined || text === '') return preset;
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`${name}: expected an integer from ${min} to ${max}, got "${text}"`);
    return preset;
  };
  const url = (name: string, protocols: readonly string[]): string | undefined => {
    const text = env[name];
    if (text === undefined || text === '') return undefined;
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
    // Not the value: it may hold a password.
    problems.push(
      `${name}: expected a URL that starts with ${protocols.map(one => `${one}//`).join(' or ')}`,
    );
    return undefined;
  };
  const databaseUrl = url('DATABASE_URL', ['postgres:', 'postgresql:']);
  if (!env['DATABASE_URL'])
    problems.push('DATABASE_URL: expected the URL of a PostgreSQL database, got none');
  const logLevel = env['LOG_LEVEL'] || 'warn';
  if (!logLevels.includes(logLevel)) {
    problems.push(`LOG_LEVEL: expected one of ${logLevels.join(', ')}, got "${logLevel}"`);
  }
  const faults = env['MALL_FAULTS'] || 'off';
  if (faults !== 'on' && faults !== 'off') problems.push(`MALL_FAULTS: expected on or off, got "${faults}"`);
  const config: Config = {
    host: env['HOST'] || '127.0.0.1',
    port: integer('PORT', 3000, 0, 65_535),
    databaseUrl: databaseUrl ?? '',
    databasePoolMax: integer('DATABASE_POOL_MAX', 10, 2, 1000),
    redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
    databaseLeakAfterMs: integer('DATABASE_LEAK_AFTER_MS', 30_000, 100, 3_600_000),
    paymentUrl: url('PAYMENT_URL', ['http:', 'https:']),
    paymentTimeoutMs: integer('PAYMENT_TIMEOUT_MS', 2000, 10, 60_000),
    stockWaitMs: integer('STOCK_WAIT_MS', 10_000, 10, 600_000),
    settleAfterMs: integer('ORDER_SETTLE_AFTER_MS', 15_000, 0, 86_400_000),
    reconcileMs: integer('ORDER_RECONCILE_MS', 5000, 50, 86_400_000),
    workers: integer('MALL_WORKERS', 1, 1, 64),
    faults: faults === 'on',
    logLevel,
    shutdownTimeoutMs: integer('SHUTDOWN_TIMEOUT_MS', 10_000, 0, 600_000),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}
