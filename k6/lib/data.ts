import { fail } from 'k6';
import { ask, numbersOf } from './checks.ts';
import { baseUrl } from './config.ts';

/** What the users of a scenario know of the shop; made by `setup`. */
export interface Catalogue {
  /** Products are numbered from 1 to this. */
  readonly products: number;
}

/** Asks the shop how much it has to offer. A shop that does not answer ends the run here. */
export function readCatalogue(): Catalogue {
  const answer = ask({
    method: 'GET',
    route: '/products',
    path: '/products?pageSize=1',
    what: 'the shop has products',
  });
  const [products = 0] = numbersOf(answer, 'total');
  if (products === 0) fail(`expected a shop with products at ${baseUrl}, got status ${answer.status}`);
  return { products };
}

const categories = ['kitchen', 'garden', 'office', 'outdoors', 'music', 'bicycles'];
const words = [
  'bamboo',
  'steel kettle',
  'tent',
  'compact lamp',
  'wool',
  'classic oak',
  'headphones',
  'quiet',
];

/** A product as customers choose them: the cube makes one in two land on an eighth of the catalogue. */
export function likelyProduct({ products }: Catalogue): number {
  return 1 + Math.floor(Math.random() ** 3 * products);
}

/** `count` different products, all equally likely, by rising number. */
export function anyProducts({ products }: Catalogue, count: number): number[] {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, products)) chosen.add(1 + Math.floor(Math.random() * products));
  return [...chosen].sort((a, b) => a - b);
}

export const anyCategory = (): string => pick(categories);
export const anyWord = (): string => pick(words);
/** Nobody's: example.org is reserved. */
export const anyEmail = (): string => `customer-${Math.floor(Math.random() * 1000)}@example.org`;

function pick<T>(choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!;
}
