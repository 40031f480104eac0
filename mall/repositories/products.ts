import type { Knex } from 'knex';

/** A product as lists show it. */
export interface Product {
  readonly id: number;
  readonly sku: string;
  readonly name: string;
  readonly priceCents: number;
  readonly category: string;
}

/** A product as its own page shows it. */
export interface ProductDetail extends Product {
  readonly description: string;
  /** Pieces on stock when it was read; only a checkout knows for sure. */
  readonly stock: number;
}

/** A product and what is said of it. */
export interface DescribedProduct extends Product {
  readonly description: string;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly page: number;
  readonly pageSize: number;
  readonly total: number;
}

/** Which products, in which order, and which page of them. */
export interface ProductQuery {
  readonly page: number;
  readonly pageSize: number;
  readonly category?: string;
  readonly search?: string;
  readonly sort?: ProductSort;
}

/** Orders of a list of products. */
export type ProductSort = 'newest' | 'price' | '-price';
export const productSorts: readonly ProductSort[] = ['newest', 'price', '-price'];

/** A category of the shop. */
export interface Category {
  readonly slug: string;
  readonly name: string;
  readonly products: number;
}

/** Reads of the catalogue. */
export interface Products {
  list(query: ProductQuery): Promise<Page<Product>>;
  find(id: number): Promise<ProductDetail | undefined>;
  /** Those of the ids that there are. */
  named(ids: readonly number[]): Promise<ReadonlyMap<number, Product>>;
  /** The whole catalogue. */
  all(): Promise<readonly DescribedProduct[]>;
  categories(): Promise<readonly Category[]>;
}

const columns = { id: 'p.id', sku: 'p.sku', name: 'p.name', priceCents: 'p.price_cents', category: 'c.slug' };

const rowsAtOnce = 2500;

/** The catalogue in PostgreSQL. */
export function createProducts(db: Knex): Products {
  const withCategory = () => db('products as p').join('categories as c', 'c.id', 'p.category_id');
  return {
    async list({ page, pageSize, category, search, sort = 'newest' }) {
      const matching = withCategory();
      if (category !== undefined) matching.where('c.slug', category);
      if (search !== undefined) matching.whereRaw("p.search @@ websearch_to_tsquery('english', ?)", [search]);
      const rows = matching.clone().select(columns);
      if (sort === 'price') rows.orderBy('p.price_cents');
      if (sort === '-price') rows.orderBy('p.price_cents', 'desc');
      rows
        .orderBy('p.id', 'desc')
        .limit(pageSize)
        .offset((page - 1) * pageSize);
      const [items, count] = await Promise.all([rows, matching.count({ total: '*' }).first()]);
      return { items: items as Product[], page, pageSize, total: Number(count?.['total'] ?? 0) };
    },

    async find(id) {
      const row = await withCategory()
        .join('inventory as i', 'i.product_id', 'p.id')
        .where('p.id', id)
        .first({ ...columns, description: 'p.description', stock: 'i.stock' });
      return row as ProductDetail | undefined;
    },

    async named(ids) {
      const rows: Product[] = await withCategory().whereIn('p.id', ids).select(columns);
      return new Map(rows.map(row => [row.id, row]));
    },

    async all() {
      const all: DescribedProduct[] = [];
      // In parts: making objects of all rows at once would block everybody else.
      for (;;) {
        const rows: DescribedProduct[] = await withCategory()
          .where('p.id', '>', all.at(-1)?.id ?? 0)
          .orderBy('p.id')
          .limit(rowsAtOnce)
          .select({ ...columns, description: 'p.description' });
        all.push(...rows);
        if (rows.length < rowsAtOnce) return all;
      }
    },

    async categories() {
      const rows: { slug: string; name: string; products: string }[] = await db('categories as c')
        .leftJoin('products as p', 'p.category_id', 'c.id')
        .groupBy('c.id')
        .orderBy('c.name')
        .select('c.slug', 'c.name')
        .count({ products: 'p.id' });
      return rows.map(row => ({ ...row, products: Number(row.products) }));
    },
  };
}
