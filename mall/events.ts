import { BatchProcessor, Channel } from 'otel-vitals/toolkit/channel';
import type { DatabaseManager } from 'otel-vitals/toolkit/database';
import type { OrderStatus } from './repositories/orders';

/** Something that happened to an order. */
export interface OrderEvent {
  readonly orderId: string;
  readonly type: 'placed' | Exclude<OrderStatus, 'pending'>;
  readonly at: Date;
}

/** The history of orders, written in batches behind the requests. */
export interface OrderEvents {
  readonly channel: Channel<OrderEvent>;
  readonly batches: BatchProcessor<OrderEvent>;
  /** Takes an event in; while the channel is full, waits for it. Never rejects: see `repair`. */
  publish(event: OrderEvent): Promise<void>;
  /** Writes what orders say that happened to them and no event does, such as after a crash; returns how much it was. */
  repair(olderThanMs: number): Promise<number>;
  /** Takes no more, and writes what there is. */
  close(): Promise<void>;
}

/** How long a request waits for room in the channel. */
const patienceMs = 1000;

/** Events into the table order_events. `complain` is told of those that were not written. */
export function createOrderEvents(
  database: DatabaseManager,
  complain: (error: unknown) => void,
): OrderEvents {
  const channel = new Channel<OrderEvent>({ name: 'order-events', capacity: 1000 });
  const batches = new BatchProcessor<OrderEvent>({
    name: 'order-events',
    maxSize: 200,
    maxWaitMs: 200,
    retry: { attempts: 5 },
    process: events =>
      database.insertMany(
        'order_events',
        events.map(({ orderId, type, at }) => ({ order_id: orderId, type, at })),
        { onConflict: 'ignore' },
      ),
    onFailed: ({ error }) => complain(error),
  });
  const pump = (async () => {
    for await (const event of channel) await batches.add(event);
  })().catch(complain);

  return {
    channel,
    batches,
    publish: event => channel.send(event, { timeoutMs: patienceMs }).catch(complain),
    async repair(olderThanMs) {
      const { rowCount } = await database.knex.raw<{ rowCount: number }>(
        `INSERT INTO order_events (order_id, type, at)
         SELECT happened.* FROM orders o
         CROSS JOIN LATERAL (VALUES (o.id, 'placed', o.created_at), (o.id, o.status, o.settled_at))
           AS happened(order_id, type, at)
         WHERE o.created_at > now() - interval '1 day' AND happened.type <> 'pending'
           AND happened.at < now() - ? * interval '1 ms'
           AND NOT EXISTS (
             SELECT FROM order_events e WHERE e.order_id = o.id AND e.type = happened.type
           )
         ON CONFLICT DO NOTHING`,
        [olderThanMs],
      );
      return rowCount;
    },
    async close() {
      channel.close();
      await pump;
      await batches.close();
    },
  };
}
