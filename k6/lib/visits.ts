import { anyCategory, anyEmail, anyWord, type Catalogue, likelyProduct } from './data.ts';
import {
  checkout,
  listCategories,
  listProducts,
  newCart,
  putItem,
  recommend,
  search,
  showCart,
  showOrder,
  showProduct,
  showSession,
  signIn,
  signOut,
} from './shop.ts';

/** Kinds of visits, and how often each happens compared with the others: most people look, few buy. */
const visits: readonly { readonly weight: number; readonly run: (catalogue: Catalogue) => void }[] = [
  { weight: 22, run: () => void listProducts(`?page=${1 + Math.floor(Math.random() * 5)}`) },
  { weight: 10, run: () => void listProducts(`?category=${anyCategory()}&sort=price`) },
  { weight: 12, run: () => void search(anyWord()) },
  { weight: 8, run: () => void listCategories() },
  { weight: 36, run: catalogue => void showProduct(likelyProduct(catalogue)) },
  { weight: 4, run: lookFurther },
  { weight: 2, run: comeAndGo },
  { weight: 8, run: buy },
];
const totalWeight = visits.reduce((sum, { weight }) => sum + weight, 0);

/** One visit of the mix. */
export function visit(catalogue: Catalogue): void {
  let left = Math.random() * totalWeight;
  for (const { weight, run } of visits) {
    left -= weight;
    if (left >= 0) continue;
    run(catalogue);
    return;
  }
}

/** Every kind of visit once. */
export function visitAll(catalogue: Catalogue): void {
  for (const { run } of visits) run(catalogue);
}

function lookFurther(catalogue: Catalogue): void {
  const product = likelyProduct(catalogue);
  showProduct(product);
  recommend(product);
}

function comeAndGo(): void {
  const session = signIn(anyEmail());
  if (session === '') return;
  showSession(session);
  signOut(session);
}

function buy(catalogue: Catalogue): void {
  const cart = newCart();
  if (cart === '') return;
  putItem(cart, likelyProduct(catalogue), 1);
  putItem(cart, likelyProduct(catalogue), 2);
  showCart(cart);
  const order = checkout(cart, anyEmail());
  if (order !== '') showOrder(order);
}
