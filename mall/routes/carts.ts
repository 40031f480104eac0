import type { FastifyInstance } from 'fastify';
import type { Buyer } from '../checkout';
import { notFound } from '../errors';
import type { Shop } from '../shop';
import { cart, email, object, order, productId, quantity, uuid } from './schemas';

/** Carts, and the checkout that ends one. */
export function cartRoutes(app: FastifyInstance, shop: Shop): void {
  const byId = object({ id: uuid });
  const byItem = object({ id: uuid, productId });

  app.post(
    '/carts',
    { schema: { summary: 'Makes an empty cart', response: { 201: cart } } },
    async (_request, reply) => {
      const id = await shop.carts.create();
      return reply.code(201).header('location', `/carts/${id}`).send({ id, items: [], totalCents: 0 });
    },
  );

  app.get<{ Params: { id: string } }>(
    '/carts/:id',
    { schema: { summary: 'A cart', params: byId, response: { 200: cart } } },
    request => shop.cart(request.params.id),
  );

  app.put<{ Params: { id: string; productId: number }; Body: { quantity: number } }>(
    '/carts/:id/items/:productId',
    {
      schema: {
        summary: 'Puts so many pieces of a product into a cart',
        params: byItem,
        body: object({ quantity }),
        response: { 200: cart },
      },
    },
    async ({ params, body }) => {
      await shop.product(params.productId);
      const item = { productId: params.productId, quantity: body.quantity };
      if (!(await shop.carts.setItem(params.id, item))) throw notFound('cart', params.id);
      return shop.cart(params.id);
    },
  );

  app.delete<{ Params: { id: string; productId: number } }>(
    '/carts/:id/items/:productId',
    { schema: { summary: 'Takes a product out of a cart', params: byItem, response: { 200: cart } } },
    async ({ params }) => {
      if (!(await shop.carts.removeItem(params.id, params.productId))) throw notFound('cart', params.id);
      return shop.cart(params.id);
    },
  );

  app.post<{ Params: { id: string }; Body: Buyer }>(
    '/carts/:id/checkout',
    {
      schema: {
        summary: 'Buys what is in a cart; sent again, it gives the same order',
        params: byId,
        body: object({ email, card: { type: 'string', pattern: '^[0-9]{12,19}$' } }, ['email']),
        response: { 200: order, 201: order },
      },
    },
    async ({ params, body }, reply) => {
      const placed = await shop.checkout(params.id, body);
      return reply
        .code(placed.created ? 201 : 200)
        .header('location', `/orders/${placed.order.id}`)
        .send(placed.order);
    },
  );
}
