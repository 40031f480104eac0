/** An answer of the shop. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  json(): { readonly id: string };
}

/** What a visit may do. */
export interface Browser {
  random(): number;
  /** Undefined when there was no answer. */
  request(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    more?: { headers?: Record<string, string>; body?: object },
  ): Promise<Answer | undefined>;
}

/** One kind of visit, and how often it happens compared with the others. */
export interface Visit {
  readonly weight: number;
  run(browser: Browser): Promise<void>;
}

const categories = ['kitchen', 'garden', 'office', 'outdoors', 'music', 'bicycles'];
const words = [
  'bamboo',
  'steel kettle',
  'tent',
  'compact lamp',
  'wool',
  'classic oak',
  'headphones',
  'quiet',
];

/** Products that anybody looks at; the others of the catalogue are found by search alone. */
const knownProducts = 2000;

/** Most visits see a few products: the cube makes one in two land on an eighth of those that are known. */
function productId({ random }: Browser): number {
  return 1 + Math.floor(random() ** 3 * knownProducts);
}

function pick<T>({ random }: Browser, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

const tags = new Map<number, string>();

/** The mix of customers. */
export const visits: readonly Visit[] = [
  {
    weight: 22,
    async run(browser) {
      await browser.request('GET', `/products?page=${1 + Math.floor(browser.random() * 5)}`);
    },
  },
  {
    weight: 10,
    async run(browser) {
      await browser.request('GET', `/products?category=${pick(browser, categories)}&sort=price`);
    },
  },
  {
    weight: 12,
    async run(browser) {
      await browser.request('GET', `/products/search?q=${encodeURIComponent(pick(browser, words))}`);
    },
  },
  {
    weight: 8,
    async run(browser) {
      await browser.request('GET', '/categories');
    },
  },
  {
    // A browser that has seen the product asks whether it changed.
    weight: 40,
    async run(browser) {
      const id = productId(browser);
      const tag = tags.get(id);
      const answer = await browser.request(
        'GET',
        `/products/${id}`,
        tag ? { headers: { 'if-none-match': tag } } : {},
      );
      const now = answer?.headers['etag'];
      if (typeof now === 'string') tags.set(id, now);
      if (browser.random() < 0.1) await browser.request('GET', `/products/${id}/recommendations`);
    },
  },
  {
    weight: 2,
    async run(browser) {
      const session = await browser.request('POST', '/sessions', { body: { email: 'ada@example.org' } });
      if (session?.status !== 201) return;
      const path = `/sessions/${session.json().id}`;
      for (let looks = 0; looks < 3; looks++) await browser.request('GET', path);
      await browser.request('DELETE', path);
    },
  },
  {
    weight: 8,
    async run(browser) {
      const cart = await browser.request('POST', '/carts');
      if (cart?.status !== 201) return;
      const { id } = cart.json();
      for (const quantity of [1, 2]) {
        await browser.request('PUT', `/carts/${id}/items/${productId(browser)}`, { body: { quantity } });
      }
      await browser.request('GET', `/carts/${id}`);
      if (browser.random() < 0.25) return;
      const order = await browser.request('POST', `/carts/${id}/checkout`, {
        body: { email: 'ada@example.org' },
      });
      if (order?.status === 201) await browser.request('GET', `/orders/${order.json().id}`);
    },
  },
];
