import { bodyBytes, connectionSeconds, requestSeconds } from './buckets';
import { attribute, metric } from './define';

/** The methods that the semantic conventions know; any other is `_OTHER`. */
export const httpMethods = [
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
  'QUERY',
] as const;

const method = attribute('http.request.method', 'Request method; an unknown one is _OTHER', {
  values: [...httpMethods, '_OTHER'],
});
const status = attribute('http.response.status_code', 'Status code of the response', {
  bound: 'status codes, 100 to 599',
});
const route = attribute(
  'http.route',
  "The framework's route pattern; absent where the framework names none",
  {
    bound: "the application's routes",
  },
);
const scheme = attribute('url.scheme', 'Scheme of the request', { values: ['http', 'https'] });
const protocol = attribute('network.protocol.version', 'HTTP version', { values: ['1.0', '1.1', '2', '3'] });
const errorType = attribute('error.type', 'Status code of 500 and above, else how the request failed', {
  bound: 'status codes and error codes of Node.js',
});
const serverAddress = attribute('server.address', 'Host that was called', {
  bound: 'hosts the application calls',
});
const serverPort = attribute('server.port', 'Port that was called', { bound: 'hosts the application calls' });
const connectionState = attribute('http.connection.state', 'Whether a request runs on the connection', {
  values: ['active', 'idle'],
});

const serverAttributes = [method, status, route, scheme, protocol, errorType] as const;
const clientAttributes = [method, status, serverAddress, serverPort, scheme, protocol, errorType] as const;

export const httpServerMetrics = {
  duration: metric(
    'http-server',
    'http.server.request.duration',
    'histogram',
    's',
    'From the parsed request head to the end of the response, or to its abort',
    { attributes: serverAttributes, buckets: requestSeconds },
  ),
  active: metric(
    'http-server',
    'http.server.active_requests',
    'updowncounter',
    '{request}',
    'Requests in flight',
    {
      attributes: [method, scheme],
    },
  ),
  requestSize: metric(
    'http-server',
    'http.server.request.body.size',
    'histogram',
    'By',
    'Size of request bodies as sent: the Content-Length, else what came over the socket',
    { attributes: serverAttributes, buckets: bodyBytes },
  ),
  responseSize: metric(
    'http-server',
    'http.server.response.body.size',
    'histogram',
    'By',
    'Size of response bodies as sent: the Content-Length, else what went over the socket, chunk framing included',
    { attributes: serverAttributes, buckets: bodyBytes },
  ),
  slow: metric(
    'http-server',
    'vitals.http.server.slow_requests',
    'counter',
    '{request}',
    'Requests that took longer than VITALS_SLOW_REQUEST_MS',
    { attributes: [method, route] },
  ),
} as const;

export const httpClientMetrics = {
  duration: metric(
    'http-client',
    'http.client.request.duration',
    'histogram',
    's',
    'From the start of the request to the end of its response, over http, https, fetch and undici',
    { attributes: clientAttributes, buckets: requestSeconds },
  ),
  active: metric(
    'http-client',
    'http.client.active_requests',
    'updowncounter',
    '{request}',
    'Requests in flight',
    {
      attributes: [method, serverAddress, serverPort, scheme],
    },
  ),
  connections: metric(
    'http-client',
    'http.client.open_connections',
    'updowncounter',
    '{connection}',
    'Open connections by state',
    { attributes: [connectionState, serverAddress, serverPort] },
  ),
  connectionDuration: metric(
    'http-client',
    'http.client.connection.duration',
    'histogram',
    's',
    'How long connections were open, recorded when they close',
    { attributes: [serverAddress, serverPort], buckets: connectionSeconds },
  ),
  reused: metric(
    'http-client',
    'vitals.http.client.connection.reused',
    'counter',
    '{request}',
    'Requests sent over a connection that had carried one before',
    { attributes: [serverAddress, serverPort] },
  ),
  queue: metric(
    'http-client',
    'vitals.http.client.queue.size',
    'gauge',
    '{request}',
    'Requests that wait for a connection',
    { attributes: [serverAddress, serverPort] },
  ),
} as const;
