import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { errorBody } from './schemas';

/** Collects the schemas of all routes that are added after it, and describes them at `/openapi.json`. */
export async function openApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mall',
        version: '1.0.0',
        description: 'A shop. Prices are in cents; every answer other than success has the form `{ error }`.',
      },
    },
    transform: ({ schema, url }) => ({ schema: withErrors(schema as FastifySchema | undefined), url }),
  });
  app.get('/openapi.json', { schema: { summary: 'This description' } }, () => app.swagger());
}

/** Errors are of one form wherever they come from; their schema is for readers, and writes no answer. */
function withErrors(schema: FastifySchema = {}): FastifySchema {
  const response = (schema.response ?? { 200: { description: 'Success' } }) as Record<string, object>;
  return {
    ...schema,
    response: { ...response, '4xx': { description: 'Refused', ...errorBody } },
  };
}
