// A few customers for two minutes: look around, open a product, put it into a cart.
//   BASE_URL=http://127.0.0.1:3000 k6 run k6/scenarios/smoke.ts
import { check, sleep } from 'k6';
import http from 'k6/http';

const base = __ENV['BASE_URL'] ?? 'http://127.0.0.1:3000';
const json = { 'content-type': 'application/json' };

export const options = {
  scenarios: {
    customers: {
      executor: 'constant-vus',
      vus: 5,
      duration: __ENV['DURATION'] ?? '2m',
      gracefulStop: '5s',
    },
  },
  thresholds: {
    checks: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<500'],
  },
};

export default function customer(): void {
  const list = http.get(`${base}/products?pageSize=20`, { tags: { name: '/products' } });
  check(list, { 'products are listed': ({ status }) => status === 200 });
  const ids = list.json('items.#.id');
  if (!Array.isArray(ids) || ids.length === 0) return;

  const productId = Number(ids[Math.floor(Math.random() * ids.length)]);
  const product = http.get(`${base}/products/${productId}`, { tags: { name: '/products/:id' } });
  check(product, { 'the product is shown': ({ status }) => status === 200 });
  http.get(`${base}/categories`, { tags: { name: '/categories' } });

  const cart = http.post(`${base}/carts`, null, { tags: { name: '/carts' } });
  check(cart, { 'a cart is made': ({ status }) => status === 201 });
  const put = http.put(
    `${base}/carts/${String(cart.json('id'))}/items/${productId}`,
    JSON.stringify({ quantity: 1 }),
    {
      headers: json,
      tags: { name: '/carts/:id/items/:productId' },
    },
  );
  check(put, { 'the product is in the cart': ({ status }) => status === 200 });
  sleep(1);
}
