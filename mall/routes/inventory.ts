import type { FastifyInstance } from 'fastify';
import type { Shop } from '../shop';
import { inventory, object, productId } from './schemas';

/** What there is of a product, and more of it. */
export function inventoryRoutes(app: FastifyInstance, shop: Shop): void {
  const params = object({ productId });

  app.get<{ Params: { productId: number } }>(
    '/inventory/:productId',
    { schema: { summary: 'What there is of a product, right now', params, response: { 200: inventory } } },
    async ({ params: { productId: id } }) => ({ productId: id, stock: await shop.inventory(id) }),
  );

  app.put<{ Params: { productId: number }; Body: { stock: number } }>(
    '/inventory/:productId',
    {
      schema: {
        summary: 'Says how many pieces of a product there are',
        params,
        body: object({ stock: inventory.properties['stock']! }),
        response: { 200: inventory },
      },
    },
    async ({ params: { productId: id }, body: { stock } }) => {
      await shop.restock(id, stock);
      return { productId: id, stock };
    },
  );
}
