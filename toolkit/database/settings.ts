import type { Knex } from 'knex';
import type { BookOptions } from './options';

type Settings = Readonly<Record<string, unknown>>;

/** knex' configuration with the time limits in the settings of its connections, where the driver takes them there. */
export function withTimeouts(config: Knex.Config, options: BookOptions): Knex.Config {
  const { connection } = config;
  if (connection === undefined || connection === null) return config;
  if (typeof connection === 'function') {
    const provider = connection as () => Settings | Promise<Settings>;
    const given = async (): Promise<Settings> => added(await provider(), config, options);
    return { ...config, connection: given as unknown as Knex.ConnectionConfigProvider };
  }
  return { ...config, connection: added(connection as unknown as Settings, config, options) as never };
}

function added(settings: Settings, { client }: Knex.Config, options: BookOptions): Settings {
  const { driverName } = (client as { prototype: { driverName?: unknown } }).prototype;
  const { connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, idleInTransactionTimeoutMs } = options;
  if (driverName === 'pg') {
    return {
      connectionTimeoutMillis: Math.ceil(connectTimeoutMs),
      ...settings,
      ...(statementTimeoutMs !== undefined && { statement_timeout: Math.ceil(statementTimeoutMs) }),
      ...(lockTimeoutMs !== undefined && { lock_timeout: Math.ceil(lockTimeoutMs) }),
      ...(idleInTransactionTimeoutMs !== undefined && {
        idle_in_transaction_session_timeout: Math.ceil(idleInTransactionTimeoutMs),
      }),
    };
  }
  if (driverName === 'mysql' || driverName === 'mysql2') {
    return { connectTimeout: Math.ceil(connectTimeoutMs), ...settings };
  }
  return settings;
}
