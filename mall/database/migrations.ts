import type { Knex } from 'knex';

interface NamedMigration extends Knex.Migration {
  readonly name: string;
}

/** In the code and not in files of their own, so that they are in the bundle too. Append only. */
const migrations: readonly NamedMigration[] = [
  {
    name: '001_catalogue',
    async up(db) {
      await db.schema.createTable('categories', table => {
        table.increments('id');
        table.text('slug').notNullable().unique();
        table.text('name').notNullable();
      });
      await db.schema.createTable('products', table => {
        table.increments('id');
        table.text('sku').notNullable().unique();
        table.text('name').notNullable();
        table.text('description').notNullable();
        table.integer('price_cents').notNullable();
        table.integer('category_id').notNullable().references('categories.id');
        table.specificType(
          'search',
          `tsvector generated always as (to_tsvector('english', name || ' ' || description)) stored`,
        );
        table.index(['category_id', 'id']);
        table.index(['price_cents', 'id']);
        table.index('search', 'products_search', { indexType: 'gin' });
      });
      // Apart from the product, because an order locks it: readers of products do not wait for orders.
      await db.schema.createTable('inventory', table => {
        table.integer('product_id').primary().references('products.id');
        table.integer('stock').notNullable();
        table.check('stock >= 0', [], 'inventory_not_negative');
      });
    },
    async down(db) {
      for (const table of ['inventory', 'products', 'categories']) await db.schema.dropTable(table);
    },
  },
  {
    name: '002_orders',
    async up(db) {
      await db.schema.createTable('orders', table => {
        table.uuid('id').primary();
        table.uuid('cart_id').notNullable().unique();
        table.text('email').notNullable();
        table.integer('total_cents').notNullable();
        table.timestamp('created_at').notNullable().defaultTo(db.fn.now());
      });
      await db.schema.createTable('order_items', table => {
        table.uuid('order_id').notNullable().references('orders.id');
        table.integer('product_id').notNullable().references('products.id');
        table.integer('quantity').notNullable();
        table.integer('unit_price_cents').notNullable();
        table.primary(['order_id', 'product_id']);
        table.check('quantity > 0', [], 'order_items_positive');
      });
    },
    async down(db) {
      for (const table of ['order_items', 'orders']) await db.schema.dropTable(table);
    },
  },
  {
    name: '003_payment',
    async up(db) {
      await db.schema.alterTable('orders', table => {
        // Those of before were taken without payment.
        table.text('status').notNullable().defaultTo('paid');
        table.timestamp('settled_at');
        table.check("status in ('pending', 'paid', 'cancelled')", [], 'orders_status');
        table.dropUnique(['cart_id']);
        table.index(['email', 'created_at']);
        table.index('created_at');
      });
      await db.raw("ALTER TABLE orders ALTER status SET DEFAULT 'pending'");
      // A cart becomes one order, however often its checkout is sent; one that was cancelled leaves it free again.
      await db.raw("CREATE UNIQUE INDEX orders_cart_open ON orders (cart_id) WHERE status <> 'cancelled'");
      await db.raw("CREATE INDEX orders_pending ON orders (created_at) WHERE status = 'pending'");
      await db.schema.createTable('order_events', table => {
        table.uuid('order_id').notNullable().references('orders.id');
        table.text('type').notNullable();
        table.timestamp('at').notNullable();
        table.primary(['order_id', 'type']);
      });
    },
    async down(db) {
      await db.schema.dropTable('order_events');
      await db.raw('DROP INDEX orders_cart_open, orders_pending');
      await db.schema.alterTable('orders', table => {
        table.dropIndex(['email', 'created_at']);
        table.dropIndex('created_at');
        table.dropColumns('status', 'settled_at');
      });
    },
  },
];

/** Where knex finds the migrations. */
export const migrationSource: Knex.MigrationSource<NamedMigration> = {
  getMigrations: async () => [...migrations],
  getMigrationName: ({ name }) => name,
  getMigration: async migration => migration,
};
