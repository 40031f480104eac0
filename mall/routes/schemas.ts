/** Schemas that several routes share. */

const integer = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum });

/** Largest value of a PostgreSQL integer: an id above it is refused here and not by the database. */
const maxId = 2_147_483_647;

export const productId = integer(1, maxId);
export const uuid = { type: 'string', format: 'uuid' };
export const quantity = integer(1, 100);
/** Deep pages are slow for the database and useful to nobody. */
export const paging = {
  page: { ...integer(1, 1000), default: 1 },
  pageSize: { ...integer(1, 100), default: 20 },
};

const text = { type: 'string' };
const cents = { type: 'integer' };

export const email = { type: 'string', format: 'email', maxLength: 254 };
const moment = { type: 'string', format: 'date-time' };

export const product = object({ id: productId, sku: text, name: text, priceCents: cents, category: text });
export const productDetail = object({
  ...product.properties,
  description: text,
  stock: { type: 'integer' },
});
/** As lists of recommendations show it. */
export const similarProduct = object({ ...product.properties, score: { type: 'number' } });
export const category = object({ slug: text, name: text, products: { type: 'integer' } });
export const inventory = object({ productId, stock: integer(0, maxId) });
export const session = object({ id: uuid, email: text, createdAt: moment, expiresAt: moment }, [
  'id',
  'createdAt',
  'expiresAt',
]);
export const cart = object({
  id: uuid,
  items: {
    type: 'array',
    items: object({ productId, quantity: { type: 'integer' }, name: text, priceCents: cents }),
  },
  totalCents: cents,
});
export const order = object({
  id: uuid,
  email: text,
  status: { enum: ['pending', 'paid', 'cancelled'] },
  totalCents: cents,
  createdAt: moment,
  items: {
    type: 'array',
    items: object({ productId, quantity: { type: 'integer' }, unitPriceCents: cents }),
  },
});

/** Every answer other than success. */
export const errorBody = object({
  error: object({ code: text, message: text, details: {} }, ['code', 'message']),
});

/** One page of `items`. */
export function pageOf(items: object) {
  const number = { type: 'integer' };
  return object({ items: { type: 'array', items }, page: number, pageSize: number, total: number });
}

/** An object of these properties and no others; all required unless `required` names those that are. */
export function object(
  properties: Record<string, object>,
  required: readonly string[] = Object.keys(properties),
) {
  return { type: 'object', additionalProperties: false, required, properties };
}
