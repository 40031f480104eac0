import type { FastifyInstance } from 'fastify';
import { notFound } from '../errors';
import type { Shop } from '../shop';
import { object, order, uuid } from './schemas';

/** What was bought. */
export function orderRoutes(app: FastifyInstance, shop: Shop): void {
  app.get<{ Params: { id: string } }>(
    '/orders/:id',
    { schema: { params: object({ id: uuid }), response: { 200: order } } },
    async ({ params }) => {
      const found = await shop.orders.find(params.id);
      if (found === undefined) throw notFound('order', params.id);
      return found;
    },
  );
}
