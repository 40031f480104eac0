import type { OrderEvents } from './events';
import type { Payment, PaymentClient } from './payment/client';
import type { OrderStatus, Orders } from './repositories/orders';

/** Ends pending orders, each once, whoever comes first: the checkout, the customer's next try, or the reconciler. */
export interface Settlement {
  /** Settles an order by how its charge ended, and says how the order ended. */
  settle(orderId: string, payment: Payment): Promise<OrderStatus>;
  /**
   * Settles orders whose checkout never came to its end, and writes the events that are missing.
   *
   * @returns how many orders it settled
   */
  reconcile(): Promise<number>;
}

/** What settling stands on. */
export interface SettlementParts {
  readonly orders: Orders;
  readonly payment: PaymentClient;
  readonly events: OrderEvents;
  /** Told of products of which there are more again. */
  readonly stockChanged: (productIds: readonly number[]) => Promise<void>;
  /** Orders that are pending for longer are nobody's any more, in milliseconds. */
  readonly settleAfterMs: number;
  readonly complain: (error: unknown) => void;
}

/** Orders that one look takes on. */
const mostAtOnce = 100;

/** The only place that makes an order paid or cancelled. */
export function createSettlement(parts: SettlementParts): Settlement {
  const { orders, payment, events, stockChanged, settleAfterMs, complain } = parts;
  const settle = async (orderId: string, ended: Payment): Promise<OrderStatus> => {
    const status = ended === 'succeeded' ? 'paid' : 'cancelled';
    const settled = await orders.settle(orderId, status);
    // Somebody else was faster, and by the same charge came to the same end.
    if (settled === undefined) return (await orders.find(orderId))?.status ?? status;
    await Promise.all([
      events.publish({ orderId, type: status, at: settled.at }),
      settled.productIds.length > 0 && stockChanged(settled.productIds),
    ]);
    return status;
  };
  return {
    settle,
    async reconcile() {
      let settled = 0;
      for (const orderId of await orders.stuck(settleAfterMs, mostAtOnce)) {
        try {
          await settle(orderId, await payment.settle(orderId));
          settled++;
        } catch (error) {
          // It stays pending, and is looked at again.
          complain(error);
        }
      }
      await events.repair(settleAfterMs);
      return settled;
    },
  };
}

/** Has `reconcile` run now and then again and again, `everyMs` after its end; the returned function ends that. */
export function keepReconciling(
  { reconcile }: Settlement,
  everyMs: number,
  complain: (error: unknown) => void,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void>;
  const run = async (): Promise<void> => {
    await reconcile().catch(complain);
    if (!stopped) timer = setTimeout(() => (running = run()), everyMs);
  };
  running = run();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
