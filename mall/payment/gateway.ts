import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import fastify from 'fastify';
import { ShopError } from '../errors';
import { errorAnswers } from '../routes/errors';
import { object } from '../routes/schemas';
import { type Behaviour, behaviourProperties } from './behaviour';
import type { Charge } from './ledger';
import { createChargeLedger } from './ledger';

/** A card that no bank pays for. */
export const declinedCard = '4000000000000002';

/** How long an answer that never comes is held back: longer than anybody waits. */
const neverMs = 120_000;

interface ChargeRequest {
  readonly Headers: { readonly 'idempotency-key': string };
  readonly Body: { readonly amountCents: number; readonly card?: string };
}

/**
 * A payment gateway to try a shop with. It takes no money, and behaves as badly as it is told to.
 *
 * A charge is known by its Idempotency-Key: sent again it is not made again. `POST /charges/:key/cancel` keeps a charge
 * from being made from then on, and says how it ended: who has no answer to a charge gets a final one there.
 */
export function buildGateway(initial: Behaviour, logLevel = 'warn'): FastifyInstance {
  let behaviour = initial;
  const ledger = createChargeLedger();
  const underWay = new Map<Charge, Promise<void>>();
  const ending = new AbortController();
  // As many as there are requests under way.
  setMaxListeners(0, ending.signal);
  const app = fastify({
    logger: { level: logLevel },
    bodyLimit: 16 * 1024,
    ajv: { customOptions: { removeAdditional: false, allErrors: true } },
    forceCloseConnections: true,
  });
  errorAnswers(app);
  app.addHook('preClose', async () => ending.abort());

  const pause = (ms: number) => (ms > 0 ? wait(ms, undefined, { signal: ending.signal }) : undefined);
  const answer = (reply: FastifyReply, charge: Charge) =>
    reply
      .code({ succeeded: 201, declined: 402, cancelled: 409, processing: 202 }[charge.status])
      .send(charge);

  app.post<ChargeRequest>(
    '/charges',
    {
      schema: {
        headers: {
          type: 'object',
          required: ['idempotency-key'],
          properties: { 'idempotency-key': { type: 'string', minLength: 8, maxLength: 100 } },
        },
        body: object(
          {
            amountCents: { type: 'integer', minimum: 1 },
            card: { type: 'string', pattern: '^[0-9]{12,19}$' },
          },
          ['amountCents'],
        ),
      },
    },
    async ({ headers, body }, reply) => {
      const { errorRate, timeoutRate, lostAnswerRate, declineRate, latencyMs } = behaviour;
      const { charge, isNew } = ledger.begin(headers['idempotency-key'], body.amountCents);
      if (!isNew && charge.amountCents !== body.amountCents && charge.status !== 'cancelled') {
        throw new ShopError(422, 'charge_mismatch', 'Expected the amount of the first charge of this key');
      }
      if (!isNew) {
        // Whoever asks again waits for the charge that is under way, and pays once.
        await underWay.get(charge);
        await pause(latencyMs);
        return answer(reply, charge);
      }
      const luck = Math.random();
      const made = (async () => {
        await pause(luck < timeoutRate ? neverMs : latencyMs);
        if (luck < timeoutRate + errorRate) return;
        const declined = body.card === declinedCard || Math.random() < declineRate;
        ledger.end(charge, declined ? 'declined' : 'succeeded');
      })();
      underWay.set(charge, made);
      await made.finally(() => underWay.delete(charge));
      if (charge.status === 'processing') {
        ledger.forget(charge);
        throw new ShopError(500, 'gateway_error', 'The bank does not answer');
      }
      if (Math.random() < lostAnswerRate) await pause(neverMs);
      return answer(reply, charge);
    },
  );

  app.get<{ Params: { key: string } }>('/charges/:key', async ({ params }) => {
    await pause(behaviour.latencyMs);
    const charge = ledger.find(params.key);
    if (charge === undefined)
      throw new ShopError(404, 'charge_not_found', `There is no charge ${params.key}`);
    return charge;
  });

  app.post<{ Params: { key: string } }>('/charges/:key/cancel', async ({ params }) => {
    await pause(behaviour.latencyMs);
    return ledger.cancel(params.key);
  });

  app.get('/behaviour', () => behaviour);
  app.put<{ Body: Partial<Behaviour> }>(
    '/behaviour',
    { schema: { body: object(behaviourProperties, []) } },
    ({ body }) => {
      behaviour = { ...behaviour, ...body };
      return behaviour;
    },
  );
  app.get('/health/live', async () => ({ status: 'ok' }));
  return app;
}
