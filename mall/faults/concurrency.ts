import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import type { OrderEvent } from '../events';
import { every, ignore, type StartFault, times } from './fault';

/** The product whose stock everybody wants. */
const wanted = 1;

export const lockConvoy: StartFault = ({ shop }, { callers, holdMs }) => {
  const stopped = new AbortController();
  const { signal } = stopped;
  const call = async (): Promise<void> => {
    while (!signal.aborted) {
      await shop.stock
        .hold([wanted], async () => {
          if (!signal.aborted) await wait(holdMs!, undefined, { signal });
        })
        .catch(ignore);
    }
  };
  for (let i = 0; i < callers!; i++) void call();
  return () => stopped.abort();
};

export const workerPoolSaturation: StartFault = async ({ shop }, { tasks, everyMs }) => {
  const { recommendations } = shop.pools;
  // A page of the products: the index is to be small, and the tasks many.
  const { items } = await shop.products.list({ page: 1, pageSize: 100 });
  const products = items.map(item => ({ ...item, description: item.name }));
  const index = await recommendations.run(products, { handler: 'buildIndex' });
  if (Array.isArray(index)) throw new TypeError('Expected an index, got a list');
  const request = { index, productId: wanted, limit: 5 };
  return every(everyMs!, () => {
    for (let i = 0; i < tasks!; i++) {
      void recommendations.run(request, { handler: 'findSimilar' }).then(ignore, ignore);
    }
  });
};

/** Senders that wait at a time: those who come then do without. */
const mostWaiting = 200;
/** Shorter than a sender of the shop is patient. */
const patienceMs = 500;

export const channelBacklog: StartFault = async ({ shop, databaseUrl, complain }, { perSecond }) => {
  // By a connection of its own: those of the pool are not what lacks here.
  const client = new Client({ connectionString: databaseUrl, application_name: 'mall-fault' });
  client.on('error', complain);
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('LOCK TABLE order_events IN EXCLUSIVE MODE');
    // Told again, what happened to an order is written once.
    const { rows } = await client.query<{ order_id: string; type: OrderEvent['type']; at: Date }>(
      'SELECT order_id, type, at FROM order_events LIMIT 1',
    );
    const known = rows[0] && { orderId: rows[0].order_id, type: rows[0].type, at: rows[0].at };
    if (known === undefined)
      throw new Error('Expected an order event to tell again, got none: order something');
    let waiting = 0;
    const stop = times(perSecond!, () => {
      if (waiting >= mostWaiting) return;
      waiting++;
      void shop.events.channel
        .send(known, { timeoutMs: patienceMs })
        .catch(ignore)
        .finally(() => waiting--);
    });
    return async () => {
      stop();
      await client.end();
    };
  } catch (error) {
    await client.end();
    throw error;
  }
};
