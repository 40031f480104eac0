import type { FastifyInstance } from 'fastify';
import { mostRecommendations } from '../recommendations/recommender';
import type { ProductQuery } from '../repositories/products';
import { productSorts } from '../repositories/products';
import type { Shop } from '../shop';
import {
  category as categorySchema,
  object,
  pageOf,
  paging,
  product,
  productDetail,
  productId,
  similarProduct,
} from './schemas';

/** The catalogue: lists, search and single products. */
export function productRoutes(app: FastifyInstance, shop: Shop): void {
  const category = { type: 'string', pattern: '^[a-z-]{1,40}$' };
  const sort = { enum: productSorts, default: 'newest' };
  const page = { 200: pageOf(product) };

  app.get<{ Querystring: ProductQuery }>(
    '/products',
    {
      schema: {
        summary: 'Products, by page',
        querystring: object({ ...paging, category, sort }, []),
        response: page,
      },
    },
    request => shop.list(request.query),
  );

  app.get<{ Querystring: ProductQuery & { q: string } }>(
    '/products/search',
    {
      schema: {
        summary: 'Products by the words of their names and descriptions',
        querystring: object(
          { ...paging, category, sort, q: { type: 'string', minLength: 2, maxLength: 100 } },
          ['q'],
        ),
        response: page,
      },
    },
    ({ query: { q, ...query } }) => shop.list({ ...query, search: q }),
  );

  app.get<{ Params: { id: number } }>(
    '/products/:id',
    { schema: { summary: 'A product', params: object({ id: productId }), response: { 200: productDetail } } },
    request => shop.product(request.params.id),
  );

  app.get<{ Params: { id: number }; Querystring: { limit: number } }>(
    '/products/:id/recommendations',
    {
      schema: {
        summary: 'Products that are like one, best first',
        params: object({ id: productId }),
        querystring: object(
          { limit: { type: 'integer', minimum: 1, maximum: mostRecommendations, default: 5 } },
          [],
        ),
        response: { 200: object({ items: { type: 'array', items: similarProduct } }) },
      },
    },
    async ({ params, query }) => ({ items: await shop.recommendations(params.id, query.limit) }),
  );

  app.get(
    '/categories',
    {
      schema: {
        summary: 'All categories',
        response: { 200: { type: 'array', items: categorySchema } },
      },
    },
    () => shop.categories(),
  );
}
