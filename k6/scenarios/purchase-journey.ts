// Customers who buy, with the time that people take: they look for something, fill a cart, change their mind, order.
import { sleep } from 'k6';
import { Rate } from 'k6/metrics';
import { duration, rate } from '../lib/config.ts';
import { anyEmail, anyProducts, anyWord, type Catalogue, readCatalogue } from '../lib/data.ts';
import { steady } from '../lib/load.ts';
import { optionsOf } from '../lib/options.ts';
import {
  checkout,
  listProducts,
  newCart,
  putItem,
  recommend,
  removeItem,
  search,
  showCart,
  showOrder,
  showProduct,
} from '../lib/shop.ts';
import { summaryOf } from '../lib/summary.ts';
import { routeThresholds, scenarioThresholds } from '../lib/thresholds.ts';

/** Of those who began, how many hold an order in their hands at the end. */
const bought = new Rate('purchases_completed');

export const options = optionsOf(
  {
    buyers: steady({
      exec: 'buyer',
      // One in ten visits is one of these.
      rate: Math.max(1, Math.round(rate / 10)),
      seconds: duration(180),
      iterationSeconds: 15,
    }),
  },
  { ...scenarioThresholds('buyers'), ...routeThresholds(), purchases_completed: ['rate>0.98'] },
);

export const setup = readCatalogue;

export function buyer(catalogue: Catalogue): void {
  listProducts();
  think();
  search(anyWord());
  think();
  const products = anyProducts(catalogue, 3);
  for (const product of products) {
    showProduct(product);
    think();
  }
  recommend(products[0]!);
  think();
  bought.add(buy(products));
}

function buy(products: readonly number[]): boolean {
  const cart = newCart();
  if (cart === '') return false;
  products.forEach((product, index) => {
    putItem(cart, product, index + 1);
  });
  showCart(cart);
  think();
  removeItem(cart, products[0]!);
  const order = checkout(cart, anyEmail());
  return order !== '' && showOrder(order).status === 200;
}

/** One to three seconds. */
function think(): void {
  sleep(1 + 2 * Math.random());
}

export const handleSummary = summaryOf('purchase-journey');
