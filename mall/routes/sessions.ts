import type { FastifyInstance } from 'fastify';
import type { Shop } from '../shop';
import { email, object, session, uuid } from './schemas';

/** Customers who look around. */
export function sessionRoutes(app: FastifyInstance, shop: Shop): void {
  const params = object({ id: uuid });

  app.post<{ Body: { email?: string } | null }>(
    '/sessions',
    {
      schema: {
        summary: 'Begins a session',
        body: { ...object({ email }, []), type: ['object', 'null'] },
        response: { 201: session },
      },
    },
    async ({ body }, reply) => {
      const begun = await shop.sessions.create(body?.email);
      return reply.code(201).header('location', `/sessions/${begun.id}`).send(begun);
    },
  );

  app.get<{ Params: { id: string } }>(
    '/sessions/:id',
    { schema: { summary: 'A session', params, response: { 200: session } } },
    request => shop.sessions.find(request.params.id),
  );

  app.delete<{ Params: { id: string } }>(
    '/sessions/:id',
    { schema: { summary: 'Ends a session', params, response: { 204: { type: 'null' } } } },
    async ({ params: { id } }, reply) => {
      await shop.sessions.end(id);
      return reply.code(204).send();
    },
  );
}
