import type { FastifyInstance } from 'fastify';
import type { Days } from '../reports';
import type { Shop } from '../shop';
import { object } from './schemas';

/** Reports that may be long: they are sent while they are read, and read no faster than they are taken. */
export function reportRoutes(app: FastifyInstance, shop: Shop): void {
  const day = { type: 'string', format: 'date' };

  app.get<{ Querystring: Days }>(
    '/reports/sales.csv',
    {
      schema: {
        summary: 'What was sold and paid from one day to another, in UTC',
        produces: ['text/csv'],
        querystring: object({ from: day, to: day }, []),
      },
    },
    async ({ query }, reply) => {
      const report = await shop.reports.sales(query);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="sales.csv"')
        .send(report);
    },
  );

  app.get(
    '/reports/inventory.ndjson',
    { schema: { summary: 'What there is of each product', produces: ['application/x-ndjson'] } },
    async (_request, reply) => reply.type('application/x-ndjson').send(await shop.reports.inventory()),
  );
}
