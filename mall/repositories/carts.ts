import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Redis } from '../redis';

/** Some pieces of one product. */
export interface CartItem {
  readonly productId: number;
  readonly quantity: number;
}

/** What customers are about to buy. A cart is forgotten a week after its last change. */
export interface Carts {
  /** Makes an empty cart and returns its id. */
  create(): Promise<string>;
  /** Its items by rising product id; undefined when there is no such cart. */
  items(id: string): Promise<readonly CartItem[] | undefined>;
  /** Puts `quantity` pieces of a product in, in place of those that were; false when there is no such cart. */
  setItem(id: string, item: CartItem): Promise<boolean>;
  /** Takes a product out; false when there is no such cart. */
  removeItem(id: string, productId: number): Promise<boolean>;
  delete(id: string): Promise<void>;
}

const keptSeconds = 7 * 24 * 3600;

/** Carts in this process: for one process, and gone with it. */
export function createMemoryCarts(maxCarts = 50_000): Carts {
  const carts = new LRUCache<string, Map<number, number>>({ max: maxCarts, ttl: keptSeconds * 1000 });
  const change = (id: string, apply: (cart: Map<number, number>) => void): boolean => {
    const cart = carts.get(id);
    if (cart === undefined) return false;
    apply(cart);
    carts.set(id, cart);
    return true;
  };
  return {
    async create() {
      const id = randomUUID();
      carts.set(id, new Map());
      return id;
    },
    items: async id => {
      const cart = carts.get(id);
      return cart && sorted([...cart]);
    },
    setItem: async (id, { productId, quantity }) => change(id, cart => cart.set(productId, quantity)),
    removeItem: async (id, productId) => change(id, cart => cart.delete(productId)),
    delete: async id => void carts.delete(id),
  };
}

/** Redis has no empty hash: this field keeps a cart without items alive. */
const existsField = 'cart';

/** One step in Redis: a cart that a checkout has just removed must not come back by a late change. */
const changeScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[2]) else redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1`;

/** Carts in Redis, shared by all processes of the shop. */
export function createRedisCarts(redis: Redis): Carts {
  const key = (id: string): string => `cart:${id}`;
  const change = async (id: string, productId: number, quantity: string): Promise<boolean> => {
    const args = { keys: [key(id)], arguments: [String(keptSeconds), String(productId), quantity] };
    return (await redis.eval(changeScript, args)) === 1;
  };
  return {
    async create() {
      const id = randomUUID();
      await redis.multi().hSet(key(id), existsField, '1').expire(key(id), keptSeconds).exec();
      return id;
    },
    async items(id) {
      const fields = await redis.hGetAll(key(id));
      if (!(existsField in fields)) return undefined;
      const items = Object.entries(fields).filter(([field]) => field !== existsField);
      return sorted(items.map(([field, value]) => [Number(field), Number(value)]));
    },
    setItem: (id, { productId, quantity }) => change(id, productId, String(quantity)),
    removeItem: (id, productId) => change(id, productId, ''),
    delete: async id => void (await redis.del(key(id))),
  };
}

function sorted(items: readonly (readonly [number, number])[]): CartItem[] {
  return items
    .map(([productId, quantity]) => ({ productId, quantity }))
    .sort((a, b) => a.productId - b.productId);
}
