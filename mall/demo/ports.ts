import { freePort, isPortFree } from './servers/port';
import { ServerStartError } from './servers/server-process';

/**
 * The port that `variable` asks for, else `preset`; a free one where that is taken, and `say` is told.
 *
 * @throws {@link ServerStartError} when the variable holds no port
 */
export async function portOr(
  variable: string,
  preset: number,
  host: string,
  say: (line: string) => void,
): Promise<number> {
  const wanted = Number(process.env[variable] || preset);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) {
    throw new ServerStartError(
      `${variable}: expected a port from 0 to 65535, got "${process.env[variable]}"`,
    );
  }
  if (wanted === 0) return freePort(host);
  if (await isPortFree(wanted, host)) return wanted;
  say(`port ${wanted} is taken, using a free one (${variable} chooses)`);
  return freePort(host);
}

/** Address of a server on `host`, as a client on this machine writes it. */
export function localUrl(host: string, port: number, path = ''): string {
  const reachable =
    { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${reachable}:${port}${path}`;
}
