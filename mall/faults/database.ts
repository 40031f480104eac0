import type { Knex } from 'knex';
import { every, ignore, type StartFault, times } from './fault';

export const poolExhaustion: StartFault = ({ shop }, { callers, holdMs }) => {
  let stopped = false;
  const call = async (): Promise<void> => {
    while (!stopped)
      await shop.database.knex.raw('SELECT pg_sleep(?)', [holdMs! / 1000]).then(ignore, ignore);
  };
  for (let i = 0; i < callers!; i++) void call();
  return () => {
    stopped = true;
  };
};

export const connectionLeak: StartFault = ({ shop, complain }, { everyMs, most }) => {
  const leaked: Promise<Knex.Transaction>[] = [];
  const beginAndForget = (): void => {
    if (leaked.length >= most!) return;
    const transaction = shop.database.knex.transaction();
    leaked.push(transaction);
    transaction.catch(complain);
  };
  beginAndForget();
  const stop = every(everyMs!, beginAndForget);
  return async () => {
    stop();
    for (const { status, ...one } of await Promise.allSettled(leaked)) {
      if (status === 'fulfilled') await (one as { value: Knex.Transaction }).value.rollback();
    }
  };
};

export const slowQuery: StartFault = ({ shop }, { ms, perSecond }) =>
  times(perSecond!, () => {
    void shop.database.knex
      .raw('SELECT count(*) FROM products, pg_sleep(?) WHERE price_cents > 0', [ms! / 1000])
      .then(ignore, ignore);
  });

/** The name under which the finding speaks of it. */
const oneByOne = 'GET /products (one by one)';

export const nPlusOne: StartFault = ({ shop }, { perSecond, products }) =>
  times(perSecond!, () => {
    void shop.database
      .route(oneByOne, async () => {
        const { items } = await shop.products.list({ page: 1, pageSize: products! });
        await Promise.all(items.map(({ id }) => shop.products.find(id)));
      })
      .catch(ignore);
  });
