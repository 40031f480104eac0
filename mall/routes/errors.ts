import type { FastifyError, FastifyInstance } from 'fastify';
import { ShopError } from '../errors';

/** Every answer other than success has one form: `{ error: { code, message, details? } }`. */
export function errorAnswers(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0];
    return reply.code(404).send(answer('route_not_found', `There is nothing at ${request.method} ${path}`));
  });

  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof ShopError) {
      if (error.statusCode === 503) reply.header('retry-after', '1');
      return reply.code(error.statusCode).send(answer(error.code, error.message, error.details));
    }
    if (error.validation !== undefined) {
      const details = error.validation.map(({ instancePath, message, params }) => ({
        in: error.validationContext,
        field: instancePath.slice(1).replaceAll('/', '.') || String(params['missingProperty'] ?? ''),
        message,
        ...(params['additionalProperty'] !== undefined && { unknown: params['additionalProperty'] }),
        ...(params['allowedValues'] !== undefined && { allowed: params['allowedValues'] }),
      }));
      return reply
        .code(400)
        .send(answer('invalid_request', 'The request is not as the shop expects it', details));
    }
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return reply.code(error.statusCode).send(answer(publicCode(error), error.message));
    }
    request.log.error(error);
    if (isUnavailable(error)) {
      return reply
        .code(503)
        .header('retry-after', '1')
        .send(answer('unavailable', 'The shop is busy, try again'));
    }
    return reply.code(500).send(answer('internal', 'The shop failed to answer'));
  });
}

/** fastify's own refusals, such as FST_ERR_CTP_BODY_TOO_LARGE, without the part that is only fastify's. */
function publicCode({ code }: FastifyError): string {
  return code.replace(/^FST_ERR_(CTP_)?/, '').toLowerCase();
}

/** What the database, Redis and the toolkit's parts fail with when there is too much to do, or a server is gone. */
const unavailable: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', '57P01', '57P03', '53300', '57014', '55P03'],
  ...['DB_ACQUIRE_TIMEOUT', 'DB_CONNECT_TIMEOUT', 'DB_QUERY_TIMEOUT', 'DB_CLOSED'],
  ...['LOCK_TIMEOUT', 'LOCK_LIMIT', 'PAYMENT_UNAVAILABLE'],
  ...['TASK_QUEUE_FULL', 'TASK_QUEUE_TIMEOUT', 'TASK_RUN_TIMEOUT', 'WORKER_CRASHED', 'WORKER_POOL_CLOSED'],
]);

/** Something lacks that may be there in a moment, rather than a mistake of ours. */
function isUnavailable({ name, code }: FastifyError): boolean {
  return name === 'KnexTimeoutError' || name === 'ClientOfflineError' || unavailable.has(code);
}

function answer(code: string, message: string, details?: unknown) {
  return { error: { code, message, ...(details !== undefined && { details }) } };
}
