import type { Knex } from 'knex';
import { categoryNames, makeProduct, randomFrom } from './catalogue';

/** Products of the seeded shop. */
export const seedProducts = 2000;
/** Pieces of each product in the seeded shop. */
export const seedStock = 10_000;

/** Fills an empty shop with the same catalogue every time; a shop that has products is left alone. */
export async function seed(db: Knex, count = seedProducts, stock = seedStock): Promise<void> {
  if ((await db('products').first('id')) !== undefined) return;
  const random = randomFrom(20_260_101);
  await db.transaction(async trx => {
    const slugs = categoryNames.map(name => ({ slug: name.toLowerCase().replaceAll(/[^a-z]+/g, '-'), name }));
    const categories: { id: number; name: string }[] = await trx('categories')
      .insert(slugs)
      .returning(['id', 'name']);
    const rows = Array.from({ length: count }, (_, index) => {
      const { id, name } = categories[index % categories.length]!;
      return { ...makeProduct(index, name, random), category_id: id };
    });
    await trx.batchInsert('products', rows, 500);
    const products: { id: number }[] = await trx('products').select('id');
    await trx.batchInsert(
      'inventory',
      products.map(({ id }) => ({ product_id: id, stock })),
      1000,
    );
  });
  // Fresh statistics, or the first minutes' plans are guesses.
  await db.raw('ANALYZE products, inventory');
}
