import { attribute, metric } from './define';

const meter = 'http-server';

const compressionName = attribute('compression.name', 'The name that the application gave the compression', {
  bound: 'compressions the application makes',
});
const encoding = attribute('compression.encoding', 'Coding that the responses were compressed with', {
  values: ['br', 'zstd', 'gzip', 'deflate'],
});
const skipReason = attribute('compression.skip_reason', 'Why a response was sent as it was', {
  values: ['bodiless', 'disabled', 'encoded', 'type', 'small', 'not_accepted', 'larger'],
});
const compressed = { attributes: [compressionName, encoding] } as const;

/** Of the toolkit's compression of responses. */
export const compressionMetrics = {
  input: metric(
    meter,
    'vitals.http.response.compression.input',
    'counter',
    'By',
    'Bytes of response bodies before they were compressed',
    compressed,
  ),
  output: metric(
    meter,
    'vitals.http.response.compression.output',
    'counter',
    'By',
    'Bytes of the same bodies after they were compressed',
    compressed,
  ),
  responses: metric(
    meter,
    'vitals.http.response.compression.responses',
    'counter',
    '{response}',
    'Responses that were compressed',
    compressed,
  ),
  skipped: metric(
    meter,
    'vitals.http.response.compression.skipped',
    'counter',
    '{response}',
    'Responses that were sent as they were',
    { attributes: [compressionName, skipReason] },
  ),
} as const;

const analyzer = attribute('endpoint.analyzer', 'The name that the application gave the EndpointAnalyzer', {
  bound: 'analyzers the application makes',
});
const endpoint = attribute(
  'endpoint.name',
  'Method and pattern of the route, or what the application recorded',
  { bound: 'maxEndpoints of the analyzer, 100 unless set; the rest is _OTHER' },
);
const outcome = attribute('endpoint.outcome', 'How the request ended: 4xx, 5xx, or the client went away', {
  values: ['ok', 'client_error', 'server_error', 'aborted'],
});
const statistic = attribute('endpoint.statistic', 'Percentile, or the longest', {
  values: ['p50', 'p95', 'p99', 'max'],
});

/** Of the toolkit's endpoint analyzers. */
export const endpointMetrics = {
  requests: metric(
    meter,
    'vitals.http.endpoint.requests',
    'counter',
    '{request}',
    'Requests of an endpoint',
    {
      attributes: [analyzer, endpoint, outcome],
    },
  ),
  slow: metric(
    meter,
    'vitals.http.endpoint.slow_requests',
    'counter',
    '{request}',
    'Requests that took slowMs of their analyzer or longer',
    { attributes: [analyzer, endpoint] },
  ),
  duration: metric(
    meter,
    'vitals.http.endpoint.duration',
    'gauge',
    's',
    'How long requests of the last one to two minutes took; of analyzers of one name the longest',
    { attributes: [analyzer, endpoint, statistic] },
  ),
} as const;

const poolName = attribute('connection.pool.name', 'The name that the application gave the monitor', {
  bound: 'monitors the application makes',
});
const state = attribute('connection.state', 'Whether a request is under way over it', {
  values: ['idle', 'active'],
});
const watched = { attributes: [poolName] } as const;
const connections = (name: string, unit: string, words: string) =>
  metric(meter, name, 'counter', unit, words, watched);

/** Of the toolkit's connection monitors. */
export const connectionPoolMetrics = {
  count: metric(meter, 'vitals.http.connection.count', 'gauge', '{connection}', 'Open connections by state', {
    attributes: [poolName, state],
  }),
  pending: metric(
    meter,
    'vitals.http.connection.pending_requests',
    'gauge',
    '{request}',
    'Requests that wait for a connection',
    watched,
  ),
  created: connections('vitals.http.connection.created', '{connection}', 'Connections that were made'),
  closed: connections('vitals.http.connection.closed', '{connection}', 'Connections that were closed'),
  failed: connections('vitals.http.connection.failed', '{attempt}', 'Attempts to connect that failed'),
  requests: connections('vitals.http.connection.requests', '{request}', 'Requests over the connections'),
  reused: connections(
    'vitals.http.connection.reused',
    '{request}',
    'Requests over a connection that had carried one before',
  ),
} as const;

const serverName = attribute('http2.server.name', 'The name that the application gave the server', {
  bound: 'HTTP/2 servers the application makes',
});
const refusal = attribute(
  'http2.refusal',
  'Why a session was not accepted or was ended: too many of them, or too much of one thing from one peer',
  { values: ['limit', 'resets', 'settings', 'pings', 'invalid_frames', 'failed'] },
);
const direction = attribute('http2.reset.direction', 'Who reset the stream: the peer, or we', {
  values: ['received', 'sent'],
});
const server = { attributes: [serverName] } as const;

/** Of the toolkit's HTTP/2 servers. */
export const http2Metrics = {
  sessions: metric(meter, 'vitals.http2.sessions', 'gauge', '{session}', 'Open sessions', server),
  opened: metric(
    meter,
    'vitals.http2.sessions.opened',
    'counter',
    '{session}',
    'Sessions that were opened',
    server,
  ),
  refused: metric(
    meter,
    'vitals.http2.sessions.refused',
    'counter',
    '{session}',
    'Sessions that were not accepted, or were ended for what the peer did',
    { attributes: [serverName, refusal] },
  ),
  streams: metric(meter, 'vitals.http2.streams', 'gauge', '{stream}', 'Open streams', server),
  streamsOpened: metric(
    meter,
    'vitals.http2.streams.opened',
    'counter',
    '{stream}',
    'Streams that were opened',
    server,
  ),
  streamsRefused: metric(
    meter,
    'vitals.http2.streams.refused',
    'counter',
    '{stream}',
    'Streams that were refused because of maxStreams, or while closing',
    server,
  ),
  resets: metric(meter, 'vitals.http2.streams.reset', 'counter', '{stream}', 'Streams that were reset', {
    attributes: [serverName, direction],
  }),
} as const;
