import type { DatabaseManager } from 'otel-vitals/toolkit/database';
import { categoryNames, makeProduct, randomFrom } from './catalogue';

/** Products of the seeded shop. */
export const seedProducts = 10_000;
/** Pieces of each product in the seeded shop. */
export const seedStock = 10_000;

/** Fills an empty shop with the same catalogue every time; a shop that has products is left alone. */
export async function seed(
  database: DatabaseManager,
  count = seedProducts,
  stock = seedStock,
): Promise<void> {
  const db = database.knex;
  if ((await db('products').first('id')) !== undefined) return;
  const random = randomFrom(20_260_101);
  await db.transaction(async trx => {
    const slugs = categoryNames.map(name => ({ slug: name.toLowerCase().replaceAll(/[^a-z]+/g, '-'), name }));
    const categories: { id: number; name: string }[] = await trx('categories')
      .insert(slugs)
      .returning(['id', 'name']);
    await database.insertMany('products', products(count, categories, random), { transaction: trx });
    await trx.raw('INSERT INTO inventory (product_id, stock) SELECT id, ? FROM products', [stock]);
  });
  // Fresh statistics, or the first minutes' plans are guesses.
  await db.raw('ANALYZE products, inventory');
}

function* products(
  count: number,
  categories: readonly { readonly id: number; readonly name: string }[],
  random: () => number,
) {
  for (let index = 0; index < count; index++) {
    const { id, name } = categories[index % categories.length]!;
    yield { ...makeProduct(index, name, random), category_id: id };
  }
}
