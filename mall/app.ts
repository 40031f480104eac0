import type { IncomingMessage } from 'node:http';
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import etag from '@fastify/etag';
import type { FastifyInstance } from 'fastify';
import fastify, { LogController } from 'fastify';
import type { Faults } from './faults/faults';
import { faultRoutes } from './faults/routes';
import { cartRoutes } from './routes/carts';
import { errorAnswers } from './routes/errors';
import type { HealthCheck } from './routes/health';
import { healthRoutes } from './routes/health';
import { inventoryRoutes } from './routes/inventory';
import { openApi } from './routes/openapi';
import { orderRoutes } from './routes/orders';
import { productRoutes } from './routes/products';
import { reportRoutes } from './routes/reports';
import { sessionRoutes } from './routes/sessions';
import { lazyCompilers } from './schema-compilers';
import type { Shop } from './shop';

/** What the HTTP side of the shop is built on. */
export interface AppParts {
  readonly shop: Shop;
  readonly healthChecks: readonly HealthCheck[];
  /** True from the start of a shutdown: the readiness check then fails, so that no new requests are sent here. */
  readonly isClosing: () => boolean;
  readonly logLevel: string;
  /** Faults that may be asked for; absent in a shop that somebody buys in. */
  readonly faults?: Faults | undefined;
}

interface RoutedRequest extends IncomingMessage {
  routeName?: string;
}

/** The shop's HTTP service, not yet listening. */
export async function buildApp({
  shop,
  healthChecks,
  isClosing,
  logLevel,
  faults,
}: AppParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: { level: logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    // A field that the schema does not know is refused, not dropped: a typing error should be heard of.
    ajv: { customOptions: { removeAdditional: false, allErrors: true } },
    schemaController: { compilersFactory: lazyCompilers },
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
  // Each request is one run of its route to the database's books, which then know routes that ask too often.
  const asRoute = shop.database.middleware<RoutedRequest>({
    route: ({ routeName = '(no route)' }) => routeName,
  });
  app.addHook('onRequest', (request, reply, done) => {
    const raw: RoutedRequest = request.raw;
    raw.routeName = `${request.method} ${request.routeOptions.url ?? '(no route)'}`;
    asRoute(raw, reply.raw, done);
  });
  await openApi(app);
  app.get('/', { schema: { summary: 'Where to begin' } }, () => ({
    name: 'mall',
    description: '/openapi.json',
  }));
  if (faults) faultRoutes(app, faults);
  healthRoutes(app, healthChecks, isClosing, () => shop.database.health());
  productRoutes(app, shop);
  inventoryRoutes(app, shop);
  sessionRoutes(app, shop);
  cartRoutes(app, shop);
  orderRoutes(app, shop);
  reportRoutes(app, shop);
  return app;
}
