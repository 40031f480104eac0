import type { FastifyInstance } from 'fastify';
import type { ProductQuery } from '../repositories/products';
import { productSorts } from '../repositories/products';
import type { Shop } from '../shop';
import { object, pageOf, paging, product, productDetail, productId } from './schemas';

/** The catalogue: lists, search and single products. */
export function productRoutes(app: FastifyInstance, shop: Shop): void {
  const category = { type: 'string', pattern: '^[a-z-]{1,40}$' };
  const sort = { enum: productSorts, default: 'newest' };
  const page = { 200: pageOf(product) };

  app.get<{ Querystring: ProductQuery }>(
    '/products',
    { schema: { querystring: object({ ...paging, category, sort }, []), response: page } },
    request => shop.products.list(request.query),
  );

  app.get<{ Querystring: ProductQuery & { q: string } }>(
    '/products/search',
    {
      schema: {
        querystring: object(
          { ...paging, category, sort, q: { type: 'string', minLength: 2, maxLength: 100 } },
          ['q'],
        ),
        response: page,
      },
    },
    ({ query: { q, ...query } }) => shop.products.list({ ...query, search: q }),
  );

  app.get<{ Params: { id: number } }>(
    '/products/:id',
    { schema: { params: object({ id: productId }), response: { 200: productDetail } } },
    request => shop.product(request.params.id),
  );

  app.get('/categories', () => shop.categories());
}
