import type { FastifyInstance } from 'fastify';
import { notFound } from '../errors';
import type { Shop } from '../shop';
import { cart, object, order, productId, quantity, uuid } from './schemas';

/** Carts, and the checkout that ends one. */
export function cartRoutes(app: FastifyInstance, shop: Shop): void {
  const byId = object({ id: uuid });
  const byItem = object({ id: uuid, productId });

  app.post('/carts', { schema: { response: { 201: cart } } }, async (_request, reply) => {
    const id = await shop.carts.create();
    return reply.code(201).header('location', `/carts/${id}`).send({ id, items: [], totalCents: 0 });
  });

  app.get<{ Params: { id: string } }>(
    '/carts/:id',
    { schema: { params: byId, response: { 200: cart } } },
    request => shop.cart(request.params.id),
  );

  app.put<{ Params: { id: string; productId: number }; Body: { quantity: number } }>(
    '/carts/:id/items/:productId',
    { schema: { params: byItem, body: object({ quantity }), response: { 200: cart } } },
    async ({ params, body }) => {
      await shop.product(params.productId);
      const item = { productId: params.productId, quantity: body.quantity };
      if (!(await shop.carts.setItem(params.id, item))) throw notFound('cart', params.id);
      return shop.cart(params.id);
    },
  );

  app.delete<{ Params: { id: string; productId: number } }>(
    '/carts/:id/items/:productId',
    { schema: { params: byItem, response: { 200: cart } } },
    async ({ params }) => {
      if (!(await shop.carts.removeItem(params.id, params.productId))) throw notFound('cart', params.id);
      return shop.cart(params.id);
    },
  );

  app.post<{ Params: { id: string }; Body: { email: string } }>(
    '/carts/:id/checkout',
    {
      schema: {
        params: byId,
        body: object({ email: { type: 'string', format: 'email', maxLength: 254 } }),
        response: { 200: order, 201: order },
      },
    },
    async ({ params, body }, reply) => {
      const placed = await shop.checkout(params.id, body.email);
      return reply
        .code(placed.created ? 201 : 200)
        .header('location', `/orders/${placed.order.id}`)
        .send(placed.order);
    },
  );
}
