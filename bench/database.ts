import knexPackage from 'knex';
import { startPostgres } from '../mall/demo/servers/postgres';
import { pairRows, repeated, type Work } from './pairs';
import { median } from './spawned';
import { built } from './toolkit/built';
import type { BenchResult } from './types';

type Knex = ReturnType<typeof knexPackage>;

const rounds = 5;
const queriesPerRound = 150;
const pool = { min: 4, max: 4 };
const rowsPerInsert = 500;

/** The same application code over the manager's knex and over bare knex, and the helpers beside what they replace. */
export async function run(): Promise<BenchResult[]> {
  const postgres = await startPostgres();
  const bare = knexPackage({ client: 'pg', connection: postgres.url, pool });
  const limits = { readTimeoutMs: 10_000, writeTimeoutMs: 10_000 };
  const manager = new built.database.DatabaseManager({
    name: 'bench',
    knex: { client: 'pg', connection: postgres.url },
    pool,
    ...limits,
  });
  try {
    await prepareTables(bare);
    const { knex } = manager;
    return [
      ...(await pairRows('DatabaseManager, reads', read(knex), read(bare), 'knex', 0.97)),
      ...(await pairRows('DatabaseManager, transactions', write(knex), write(bare), 'knex', 0.97)),
      await row(
        'prepared statement, a join of four',
        prepared(manager),
        plainJoin(knex),
        'not prepared',
        1.1,
      ),
      await row(`insertMany, ${rowsPerInsert} rows`, many(manager), oneByOne(knex), 'one by one', 5, 1),
    ];
  } finally {
    await manager.close();
    await bare.destroy();
    await postgres.close();
  }
}

async function prepareTables(knex: Knex): Promise<void> {
  await knex.schema.createTable('goods', table => {
    table.increments('id');
    table.text('name');
    table.integer('shelf');
  });
  await knex.raw("insert into goods (name, shelf) select 'g' || n, n % 100 from generate_series(1, 10000) n");
  await knex.raw('create table sink (id int, name text, shelf int)');
  await knex.raw('analyze');
}

const read = (knex: Knex): Work =>
  repeated(i =>
    knex('goods')
      .where({ id: (i % 10_000) + 1 })
      .first(),
  );
const write = (knex: Knex): Work =>
  repeated(i =>
    knex.transaction(async trx => {
      await trx('goods')
        .where({ id: (i % 10_000) + 1 })
        .update({ shelf: i % 100 });
    }),
  );
type Manager = InstanceType<typeof built.database.DatabaseManager>;
const join =
  'select a.id, b.name, c.shelf, d.name as other from goods a join goods b on b.id = a.shelf join goods c on ' +
  'c.id = b.shelf + 1 join goods d on d.id = c.shelf + 1 where a.id = ? and (b.name = ? or c.shelf > 0)';
const prepared = (manager: Manager): Work => {
  const statement = manager.prepare(join);
  return repeated(i => statement.rows([(i % 10_000) + 1, 'g1']));
};
const plainJoin = (knex: Knex): Work => repeated(i => knex.raw(join, [(i % 10_000) + 1, 'g1']));

const rows = Array.from({ length: rowsPerInsert }, (_, id) => ({ id, name: `n${id}`, shelf: id % 100 }));
const many =
  (manager: Manager): Work =>
  async n => {
    for (let i = 0; i < n; i++) await manager.insertMany('sink', rows);
  };
const oneByOne =
  (knex: Knex): Work =>
  async n => {
    for (let i = 0; i < n; i++) {
      await knex.transaction(async trx => {
        for (const one of rows) await trx('sink').insert(one);
      });
    }
  };

/**
 * Rounds of both take turns. Time on the clock, since what a helper saves is the server's time; on a machine that is
 * never quiet what counts is the median of the pairs that ran one after the other.
 */
async function row(
  name: string,
  ours: Work,
  peer: Work,
  peerName: string,
  goal: number,
  n = queriesPerRound,
): Promise<BenchResult> {
  const times = { ours: [] as number[], peer: [] as number[] };
  const timed = async (which: 'ours' | 'peer'): Promise<void> => {
    const began = performance.now();
    await (which === 'ours' ? ours : peer)(n);
    times[which].push(((performance.now() - began) * 1000) / n);
  };
  for (let round = -2; round < rounds; round++) {
    if (round === 0) times.ours.length = times.peer.length = 0;
    for (const which of round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)) {
      await timed(which);
    }
  }
  const ratio = median(times.peer.map((time, i) => time / times.ours[i]!));
  return {
    name,
    ours: median(times.ours),
    peer: median(times.peer),
    peerName,
    unit: 'us',
    ratio,
    goal: `>= ${goal} times as fast`,
    met: ratio >= goal,
  };
}
