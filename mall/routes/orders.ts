import type { FastifyInstance } from 'fastify';
import { notFound } from '../errors';
import type { Shop } from '../shop';
import { email, object, order, pageOf, paging, uuid } from './schemas';

/** What was bought. */
export function orderRoutes(app: FastifyInstance, shop: Shop): void {
  app.get<{ Params: { id: string } }>(
    '/orders/:id',
    { schema: { summary: 'An order', params: object({ id: uuid }), response: { 200: order } } },
    async ({ params }) => {
      const found = await shop.orders.find(params.id);
      if (found === undefined) throw notFound('order', params.id);
      return found;
    },
  );

  app.get<{ Querystring: { email: string; page: number; pageSize: number } }>(
    '/orders',
    {
      schema: {
        summary: 'The orders of a customer, newest first',
        querystring: object({ email, ...paging }, ['email']),
        response: { 200: pageOf(order) },
      },
    },
    ({ query }) => shop.orders.list(query.email, query.page, query.pageSize),
  );
}
