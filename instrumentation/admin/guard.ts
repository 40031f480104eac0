import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is turned away. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface GuardOptions {
  /** The host that the server listens on. */
  readonly host: string;
  readonly token: string | undefined;
}

/** What every request must pass, whatever it asks for. */
export function createGuard({
  host,
  token,
}: GuardOptions): (request: IncomingMessage) => Refusal | undefined {
  const wanted = token === undefined ? undefined : digest(token);
  return ({ headers }) => {
    const name = hostName(headers.host);
    if (name === undefined) {
      return { status: 400, code: 'BAD_HOST', message: 'Host: expected a host and port' };
    }
    if (wanted !== undefined) {
      const given = credential(headers.authorization);
      // Digests are of one length, so that the time of the comparison says nothing, not even how long the token is.
      if (given !== undefined && timingSafeEqual(digest(given), wanted)) return undefined;
      return {
        status: 401,
        code: 'UNAUTHORIZED',
        message: 'expected VITALS_ADMIN_TOKEN as bearer token or as the password of basic authentication',
      };
    }
    // A page on the web can have its own name resolve to this machine, and would then read the answers. It can't do
    // so with an address. With a token it can't know that.
    if (
      isIP(name) !== 0 ||
      name === 'localhost' ||
      name.endsWith('.localhost') ||
      name === host.toLowerCase()
    ) {
      return undefined;
    }
    return {
      status: 403,
      code: 'FOREIGN_HOST',
      message: `Host: expected an address or localhost, got ${JSON.stringify(name)}; with VITALS_ADMIN_TOKEN any name will do`,
    };
  };
}

/**
 * Whether a request may have been made by a page of another site, in the browser of somebody who can reach this server.
 *
 * @param effect whether the request changes or costs something; a link to a page does neither
 */
export function isForeignPage({ headers }: IncomingMessage, effect: boolean): boolean {
  const site = headers['sec-fetch-site'];
  const link = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return effect || !link;
  const { origin } = headers;
  if (origin === undefined) return false;
  // `null` is the origin of sandboxed frames and of local files.
  return origin === 'null' || hostOf(origin) !== headers.host?.toLowerCase();
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** The name in a Host header, without brackets and port; `undefined` where it isn't one. */
function hostName(header: string | undefined): string | undefined {
  if (header === undefined || !/^[\w.:[\]-]+$/.test(header) || !URL.canParse(`http://${header}`))
    return undefined;
  return new URL(`http://${header}`).hostname.replace(/^\[(.*)\]$/, '$1');
}

function credential(header: string | undefined): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(header ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString();
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
