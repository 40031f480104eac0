import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { removeFolder, temporaryFolder } from './lifetime';
import { ServerStartError, startServerProcess } from './server-process';

/** A running Redis of our own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** The path of an installed redis-server (or its fork Valkey), or undefined. */
export function findRedis(): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  return ['redis-server', 'valkey-server']
    .flatMap(program => folders.map(folder => join(folder, program)))
    .find(path => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Starts a real redis-server on an ephemeral loopback port that keeps nothing on disk; it ends with this process.
 *
 * @param args more arguments of redis-server, such as `['--maxmemory', '1mb']`
 * @throws {@link ServerStartError} when no redis-server is installed or it does not start
 */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const command = findRedis();
  if (command === undefined) {
    throw new ServerStartError(
      'redis-server is not installed: run `node scripts/setup.mjs redis-server` as root',
    );
  }
  const folder = temporaryFolder('vitals-redis-');
  const { child, port, close } = await startServerProcess({
    name: 'redis-server',
    command,
    args: free => {
      const settings = {
        port: free,
        bind: '127.0.0.1',
        dir: folder,
        save: '',
        appendonly: 'no',
        daemonize: 'no',
      };
      return [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]), ...args];
    },
    ready: /ready to accept connections/i,
  }).catch(error => {
    removeFolder(folder);
    throw error;
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid!,
    close: () => close().then(() => removeFolder(folder)),
  };
}
