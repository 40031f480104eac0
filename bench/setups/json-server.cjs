// A server that does next to nothing, so that what is measured is what surrounds it.
const http = require('node:http');

http
  .createServer((request, response) => {
    if (request.url === '/gc') globalThis.gc?.();
    response.setHeader('content-type', 'application/json');
    response.end('{"hello":"world"}');
  })
  .listen(0, '127.0.0.1', function () {
    console.log(`port ${this.address().port}`);
  });
