// A service that allocates much, as those do that read rows, ask another service, and write JSON: what a request makes
// lives until it is answered, some forty milliseconds.
const { createServer } = require('node:http');
const { setTimeout: delay } = require('node:timers/promises');

const rows = JSON.stringify(
  Array.from({ length: 400 }, (_, id) => ({
    id,
    name: `product ${id}`,
    price: id * 1.1,
    tags: ['new', 'sale', 'gift'].map(tag => `${tag} ${id}`),
  })),
);

const server = createServer(async (_request, response) => {
  const products = JSON.parse(rows);
  await delay(20);
  const priced = products.map(product => ({
    ...product,
    gross: product.price * 1.19,
    label: `${product.name} at ${product.price}`,
  }));
  await delay(20);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ count: priced.length, first: priced.slice(0, 20), hello: 'world' }));
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
