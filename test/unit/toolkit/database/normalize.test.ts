import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { normalizeQuery, type SqlDialect } from '../../../../toolkit/database';
import { form, secret, written } from '../../../helpers/sql-arbitraries';

const same: Readonly<Record<string, readonly [dialect: SqlDialect, query: string, ...texts: string[]]>> = {
  'literals of every kind': [
    'postgresql',
    'select ? from t where a = ? and b = ?',
    "select 1 from t where a = 'x' and b = E'it\\'s'",
    "SELECT 1.5e-3 FROM T WHERE a=$$x$$ AND b = $tag$it's $$ $tag$",
    "select 0xff from t where a = U&'d\\0061t' and b = X'1f'",
    'select $1 from t where a=$2 and b=$3;',
    "select -1 from t where a = + 5 and b = 'one'\n  'and the same'",
    'select null from t where a = true and b = NULL',
  ],
  'lists of any length': [
    'postgresql',
    'select * from t where a in (?) and (b, c) in ((?, ?)) and d = any(array[?])',
    "select * from t where a in (1) and (b,c) in ((1,'x')) and d = any(array[1])",
    "select * from t where a IN (1,2,-3) and (b,c) in ((1,'x'),(2,'y')) and d = any(ARRAY[1, 2, 3])",
  ],
  'rows of any number, and the forms that they have': [
    'postgresql',
    'insert into t(a, b) values (?, ?), (?, default) on conflict do nothing',
    "insert into t (a,b) values (1,2),(3,default),(4,'x'),(5,default) on conflict do nothing",
    'insert into t(a, b) values (1, null), (3, default) on conflict do nothing',
  ],
  'comments, white space and case': [
    'postgresql',
    'select "Id" from t where f(a) = ?',
    'SELECT\n\t"Id"--the key\rFROM /* a /* nested */ \' */ t WHERE f ( a )=1',
    'select "Id" from t where f(a) = 1 -- why?',
  ],
  'strings, names and comments of MySQL': [
    'mysql',
    'select `A` from t where a = ? and b in (?) limit ?',
    'select `A` from t where a = "it\'s" and b in (\'a\\\'b\', "c") limit 1 # all',
    'SELECT `A` FROM t WHERE a = 0x1F AND b IN (?) LIMIT ?; -- all',
    "select /*+ hint */ `A` from t where a=N'x' and b in (5,6,7) limit 10",
  ],
};

for (const [what, [dialect, query, ...texts]] of Object.entries(same)) {
  test(`${what} are one query`, () => {
    for (const text of texts) assert.equal(normalizeQuery(text, dialect), query, text);
  });
}

const different: readonly (readonly [string, string])[] = [
  ['select * from t where a is null', 'select * from t where a is not null'],
  ['select * from t where a = null', 'select * from t where a is null'],
  ['select a from t', 'select "A" from t'],
  ['select * from t where a = 1', 'select * from t where a > 1'],
  ['select coalesce(1, 2)', 'select coalesce(1, 2, 3)'],
  ['select a - 1', 'select a, -1'],
  ['select * from t where a in (select 1)', 'select * from t where a in (1)'],
  ['select j ? 1', 'select j ?| 1'],
  ['create table t (a int not null)', 'create table t (a int null)'],
];

test('what differs in more than values is not one query', () => {
  for (const [one, other] of different) assert.notEqual(normalizeQuery(one), normalizeQuery(other));
});

for (const dialect of ['postgresql', 'mysql'] as const) {
  describe(dialect, () => {
    const texts = form.chain(parts => fc.tuple(written(dialect, parts), written(dialect, parts)));

    test('whatever the literals, lists, gaps, comments and case, texts of one form are one query', () => {
      fc.assert(
        fc.property(texts, ([one, other]) => {
          assert.equal(normalizeQuery(one, dialect), normalizeQuery(other, dialect));
        }),
        { numRuns: 500 },
      );
    });

    test('no literal and no comment gets through, and of no number a digit', () => {
      fc.assert(
        fc.property(texts, ([text]) => {
          const query = normalizeQuery(text, dialect);
          assert.ok(!query.toLowerCase().includes(secret.toLowerCase()), query);
          assert.doesNotMatch(query.replaceAll('a$b', ''), /[0-9'$]|--|\/\*/);
        }),
        { numRuns: 500 },
      );
    });

    test('what was normalised stays as it is', () => {
      fc.assert(
        fc.property(texts, ([text]) => {
          const query = normalizeQuery(text, dialect);
          assert.equal(normalizeQuery(query, dialect), query);
        }),
      );
    });

    test('any text whatever gives a text, of bounded length', () => {
      const any = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc
          .array(
            fc.constantFrom(
              "'",
              '"',
              '`',
              '$',
              '$a$',
              '/*',
              '*/',
              '--',
              '\\',
              '(',
              ')',
              '[',
              ',',
              'in',
              'values',
              '?',
              '1',
              "E'",
              '\n',
            ),
          )
          .map(parts => parts.join('')),
      );
      fc.assert(
        fc.property(any, text => {
          const query = normalizeQuery(text, dialect);
          assert.ok(query.length <= 4096);
        }),
        { numRuns: 500 },
      );
    });

    test('a literal that is never closed hides all to the end of the text', () => {
      for (const open of dialect === 'mysql' ? ["'", '"', '`'] : ["'", "E'\\'", '$$', '$x$', '"']) {
        assert.equal(
          normalizeQuery(`select a from t where b = ${open}${secret} and 1`, dialect),
          'select a from t where b = ?',
        );
      }
    });
  });
}

test('a text of megabytes takes no long time, and shows nothing of what was cut off', () => {
  const pieces = [
    '(',
    '[',
    "'",
    '"',
    '/*',
    '$a$',
    'in (1,',
    'values (1),',
    ',(',
    '1,',
    "''",
    'a',
    '- ',
    '::',
    'x.',
  ];
  for (const piece of pieces) {
    const began = performance.now();
    const query = normalizeQuery(`select ${piece.repeat(2_000_000 / piece.length)}`);
    assert.ok(query.length <= 4096);
    assert.ok(performance.now() - began < 2000, piece);
  }
  const rows = Array.from({ length: 20_000 }, (_, i) => `(${i}, '${secret}${i}')`).join(', ');
  assert.equal(normalizeQuery(`insert into t (a, b) values ${rows}`), 'insert into t(a, b) values (?, ?)…');
  assert.equal(
    normalizeQuery(`select * from t where a in (${Array(50_000).fill('17')})`),
    'select * from t where a in…',
  );
});
