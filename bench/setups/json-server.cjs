// A server that does next to nothing, so that what is measured is what surrounds it.
const http = require('node:http');

http
  // A busy machine may leave a connection waiting for longer than the default of 5 s.
  .createServer({ keepAliveTimeout: 300_000 }, (request, response) => {
    if (request.url === '/gc') globalThis.gc?.();
    response.setHeader('content-type', 'application/json');
    response.end('{"hello":"world"}');
  })
  .listen(0, '127.0.0.1', function () {
    console.log(`port ${this.address().port}`);
  });
