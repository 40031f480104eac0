// What can be asked of the shop: a function for each route that the scenarios use.
import { type Answer, ask, textOf } from './checks.ts';

export function listProducts(query = ''): Answer {
  return ask({ method: 'GET', route: '/products', path: `/products${query}`, what: 'products are listed' });
}

/**
 * @param paging query of the page
 * @param expect statuses that are no failure: a study of the database's pool lets the shop say that it is busy
 */
export function search(words: string, paging = '', expect: readonly number[] = [200]): Answer {
  return ask({
    method: 'GET',
    route: '/products/search',
    path: `/products/search?q=${encodeURIComponent(words)}${paging}`,
    what: 'a search is answered',
    expect,
  });
}

export function recommend(id: number): Answer {
  return ask({
    method: 'GET',
    route: '/products/:id/recommendations',
    path: `/products/${id}/recommendations`,
    what: 'similar products are shown',
  });
}

/** Makes a session and gives its id; an empty text when there was none to be had. */
export function signIn(email: string): string {
  const answer = ask({
    method: 'POST',
    route: '/sessions',
    body: { email },
    what: 'a session begins',
    expect: [201],
  });
  return textOf(answer, 'id');
}

export function showSession(id: string): Answer {
  return ask({ method: 'GET', route: '/sessions/:id', path: `/sessions/${id}`, what: 'the session goes on' });
}

export function signOut(id: string): Answer {
  return ask({
    method: 'DELETE',
    route: '/sessions/:id',
    path: `/sessions/${id}`,
    what: 'the session ends',
    expect: [204],
  });
}

export function showProduct(id: number): Answer {
  return ask({ method: 'GET', route: '/products/:id', path: `/products/${id}`, what: 'a product is shown' });
}

export function listCategories(): Answer {
  return ask({ method: 'GET', route: '/categories', what: 'categories are listed' });
}

/** Makes a cart and gives its id; an empty text when there was none to be had. */
export function newCart(): string {
  return textOf(ask({ method: 'POST', route: '/carts', what: 'a cart is made', expect: [201] }), 'id');
}

export function putItem(cart: string, product: number, quantity: number): Answer {
  return ask({
    method: 'PUT',
    route: '/carts/:id/items/:productId',
    path: `/carts/${cart}/items/${product}`,
    body: { quantity },
    what: 'a product is in the cart',
  });
}

export function removeItem(cart: string, product: number): Answer {
  return ask({
    method: 'DELETE',
    route: '/carts/:id/items/:productId',
    path: `/carts/${cart}/items/${product}`,
    what: 'a product is out of the cart',
  });
}

export function showCart(cart: string): Answer {
  return ask({ method: 'GET', route: '/carts/:id', path: `/carts/${cart}`, what: 'the cart is shown' });
}

/** Turns the cart into an order and gives its id; an empty text when it became none. */
export function checkout(cart: string, email: string): string {
  const answer = ask({
    method: 'POST',
    route: '/carts/:id/checkout',
    path: `/carts/${cart}/checkout`,
    body: { email },
    what: 'a cart becomes an order, or is sold out',
    expect: [200, 201, 409],
  });
  return answer.status === 409 ? '' : textOf(answer, 'id');
}

export function showOrder(id: string): Answer {
  return ask({ method: 'GET', route: '/orders/:id', path: `/orders/${id}`, what: 'the order is shown' });
}
