import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import etag from '@fastify/etag';
import type { FastifyInstance } from 'fastify';
import fastify, { LogController } from 'fastify';
import { cartRoutes } from './routes/carts';
import { errorAnswers } from './routes/errors';
import type { HealthCheck } from './routes/health';
import { healthRoutes } from './routes/health';
import { orderRoutes } from './routes/orders';
import { productRoutes } from './routes/products';
import type { Shop } from './shop';

/** What the HTTP side of the shop is built on. */
export interface AppParts {
  readonly shop: Shop;
  readonly healthChecks: readonly HealthCheck[];
  /** True from the start of a shutdown: the readiness check then fails, so that no new requests are sent here. */
  readonly isClosing: () => boolean;
  readonly logLevel: string;
}

/** The shop's HTTP service, not yet listening. */
export async function buildApp({
  shop,
  healthChecks,
  isClosing,
  logLevel,
}: AppParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: { level: logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    // A field that the schema does not know is refused, not dropped: a typing error should be heard of.
    ajv: { customOptions: { removeAdditional: false, allErrors: true } },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  });
  // Before compression: the tag is of the content, however it is encoded, and an unchanged answer is never compressed.
  await app.register(etag, { weak: true });
  await app.register(compress, {
    encodings: ['br', 'gzip'],
    threshold: 1024,
    // Brotli's default level is meant for files compressed once: for answers it costs many times the CPU of level 4.
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  });
  // A kept connection would hold up the shutdown until its timeout, a minute after its last answer.
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing()) reply.header('connection', 'close');
  });
  errorAnswers(app);
  app.get('/', () => ({
    name: 'mall',
    routes: ['/products', '/products/search?q=', '/products/:id', '/categories', '/carts', '/orders/:id'],
  }));
  healthRoutes(app, healthChecks, isClosing);
  productRoutes(app, shop);
  cartRoutes(app, shop);
  orderRoutes(app, shop);
  return app;
}
