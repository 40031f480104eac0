import type { ProfileExport } from './library';

/** Where profiles go and as whom. */
export interface Destination {
  /** The ingest endpoint without its query, and without credentials. */
  endpoint: URL;
  headers: Record<string, string>;
  /** `application{label=value,...}`, as the `name` parameter takes it. */
  name: string;
}

export interface DestinationOptions {
  serverAddress: string;
  applicationName: string;
  tags: Record<string, string>;
  authToken?: string;
  basicAuthUser?: string;
  basicAuthPassword?: string;
  tenantId?: string;
}

/**
 * The destination that the options describe.
 *
 * @throws TypeError when the address is no http or https URL.
 */
export function destination(options: DestinationOptions): Destination {
  const endpoint = new URL(options.serverAddress);
  if (endpoint.protocol !== 'http:' && endpoint.protocol !== 'https:') {
    throw new TypeError(`Expected an http or https address, got ${endpoint.protocol}`);
  }
  const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
  // The environment's pair comes before one in the address, which is often copied from somewhere.
  const user = options.basicAuthUser ?? decodeURIComponent(endpoint.username);
  const password = options.basicAuthPassword ?? decodeURIComponent(endpoint.password);
  if (options.authToken) headers['authorization'] = `Bearer ${options.authToken}`;
  else if (user || password) {
    headers['authorization'] = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }
  if (options.tenantId) headers['x-scope-orgid'] = options.tenantId;
  endpoint.username = '';
  endpoint.password = '';
  endpoint.search = '';
  endpoint.hash = '';
  endpoint.pathname = `${endpoint.pathname.replace(/\/+$/, '')}/ingest`;
  return { endpoint, headers, name: profileName(options.applicationName, options.tags) };
}

/**
 * `application{label=value,...}` with only what Pyroscope's parser takes; it answers 400 to anything else, for ever.
 *
 * A name that had to change, such as that of a scoped npm package, is kept whole in the label `service_name`, which
 * Pyroscope otherwise makes from the name. Labels come sorted, so that one process has one name.
 *
 * The rules are those of Pyroscope's `api/model/labelset/validate.go`.
 */
export function profileName(application: string, tags: Record<string, string>): string {
  const name = application.trim().replace(/[^A-Za-z0-9_./-]/g, '_') || 'unknown_service';
  const labels = new Map<string, string>();
  if (name !== application && application.trim() !== '') labels.set('service_name', labelValue(application));
  for (const [key, value] of Object.entries(tags)) {
    const label = key.replace(/[^A-Za-z0-9_.]/g, '_');
    if (label !== '' && label !== '__name__' && value !== '') labels.set(label, labelValue(value));
  }
  const pairs = [...labels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  return `${name}{${pairs.join(',')}}`;
}

function labelValue(value: string): string {
  return value.replace(/[{},=]/g, '_');
}

/**
 * Path and query of one upload, with the parameters that `@pyroscope/nodejs` sends.
 *
 * @param sampleRate samples per second; left out for heap profiles, which have none.
 */
export function ingestPath(
  to: Destination,
  window: Pick<ProfileExport, 'startedAt' | 'stoppedAt'>,
  sampleRate: number | undefined,
): string {
  const query = new URLSearchParams({
    format: 'pprof',
    from: String(Math.floor(window.startedAt.getTime() / 1000)),
    name: to.name,
    spyName: 'nodespy',
    // Rounded up, so that a window under a second is not empty.
    until: String(Math.ceil(window.stoppedAt.getTime() / 1000)),
  });
  if (sampleRate !== undefined) query.set('sampleRate', String(sampleRate));
  return `${to.endpoint.pathname}?${query}`;
}
