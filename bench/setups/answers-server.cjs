// Answers by path: a small and a large JSON, one that is encoded, and one that may be kept.
const http = require('node:http');
const { gzipSync } = require('node:zlib');

const small = '{"hello":"world"}';
const large = JSON.stringify(
  Array.from({ length: 500 }, (_, id) => ({ id, name: `product ${id}`, text: 'x'.repeat(60) })),
);
const encoded = gzipSync(
  JSON.stringify(Array.from({ length: 50 }, (_, id) => ({ id, name: `product ${id}` }))),
);
const answers = {
  '/json': [{}, small],
  '/large': [{}, large],
  '/gzip': [{ 'content-encoding': 'gzip' }, encoded],
  '/fresh': [{ 'cache-control': 'max-age=3600' }, small],
};

http
  // A busy machine may leave a connection waiting for longer than the default of 5 s.
  .createServer({ keepAliveTimeout: 300_000 }, (request, response) => {
    const [headers, body] = answers[request.url];
    request.resume();
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  })
  .listen(0, '127.0.0.1', function () {
    console.log(`port ${this.address().port}`);
  });
