import { notFound, ShopError } from './errors';
import type { OrderEvents } from './events';
import type { Payment, PaymentClient } from './payment/client';
import { PaymentUnavailableError } from './payment/client';
import type { Carts } from './repositories/carts';
import type { Order, Orders } from './repositories/orders';
import type { Settlement } from './settlement';
import type { StockLocks } from './stock-locks';

/** Who buys. */
export interface Buyer {
  readonly email: string;
  /** The number of a card; never kept. */
  readonly card?: string;
}

/** What a checkout stands on. */
export interface CheckoutParts {
  readonly carts: Carts;
  readonly orders: Orders;
  readonly stock: StockLocks;
  readonly payment: PaymentClient;
  readonly settlement: Settlement;
  readonly events: OrderEvents;
  readonly stockChanged: (productIds: readonly number[]) => Promise<void>;
}

/**
 * Turns a cart into a paid order: takes the stock, charges, and settles the order by how the charge ended. Sent again,
 * also after an answer was lost or while the first is under way, it gives the same order and is paid once: the order's
 * id is the key of its charge.
 */
export function createCheckout(parts: CheckoutParts) {
  const { carts, orders, stock, payment, settlement, events, stockChanged } = parts;

  const place = async (cartId: string, email: string): Promise<{ order: Order; created: boolean }> => {
    const items = await carts.items(cartId);
    if (items === undefined) {
      // The answer to an earlier checkout may have been lost on its way.
      const order = await orders.findByCart(cartId);
      if (order === undefined) throw notFound('cart', cartId);
      return { order, created: false };
    }
    if (items.length === 0)
      throw new ShopError(409, 'cart_empty', `Expected items in cart ${cartId}, got none`);
    const productIds = items.map(({ productId }) => productId);
    const placed = await stock.hold(productIds, () => orders.place(cartId, email, items));
    if (placed.created) {
      const { id: orderId, createdAt } = placed.order;
      await Promise.all([
        events.publish({ orderId, type: 'placed', at: new Date(createdAt) }),
        stockChanged(productIds),
      ]);
    }
    return placed;
  };

  /** How the charge of an order ended, by now or for good. */
  const pay = async ({ id, totalCents }: Order, card: string | undefined): Promise<Payment> => {
    try {
      return await payment.charge({ key: id, amountCents: totalCents, card });
    } catch (error) {
      if (!(error instanceof PaymentUnavailableError)) throw error;
    }
    try {
      return await payment.settle(id);
    } catch (cause) {
      if (!(cause instanceof PaymentUnavailableError)) throw cause;
      // Nobody knows. The order stays pending, and is settled once the gateway answers.
      throw unavailable(
        id,
        'Whether it was paid is not known yet: look at the order, or send the checkout again',
      );
    }
  };

  /** @throws {@link ShopError} 404, 409 `cart_empty` and `out_of_stock`, 402 `payment_declined`, 503 `payment_unavailable` */
  return async (cartId: string, { email, card }: Buyer): Promise<{ order: Order; created: boolean }> => {
    const { order, created } = await place(cartId, email);
    let { status } = order;
    let ended: Payment | undefined;
    if (status === 'pending') {
      ended = await pay(order, card);
      status = await settlement.settle(order.id, ended);
    }
    if (status !== 'paid') {
      if (ended === 'declined') {
        throw new ShopError(402, 'payment_declined', 'The payment was declined', { orderId: order.id });
      }
      throw unavailable(order.id, 'The payment did not go through and will not: nothing is charged');
    }
    // The order stands whatever happens here: a cart left over gives this order again.
    await carts.delete(cartId).catch(() => {});
    return { order: { ...order, status }, created };
  };
}

function unavailable(orderId: string, message: string): ShopError {
  return new ShopError(503, 'payment_unavailable', message, { orderId });
}
