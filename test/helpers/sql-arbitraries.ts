import fc from 'fast-check';
import type { SqlDialect } from '../../toolkit/database';

/** A part of a query: as it is, or with what may differ between queries of one form. */
type Part =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'literal' }
  /** Literals between commas, at least one. */
  | { readonly is: 'list' }
  /** Rows of so many literals, at least one. */
  | { readonly is: 'rows'; readonly width: number };

const text = (words: string): Part[] => words.split(' ').map(word => ({ is: 'text', text: word }));
const literal: Part = { is: 'literal' };

/** What every literal and comment has in it, and nothing else. */
export const secret = 'zQ7';

const name = fc.constantFrom('users', 'o.total', '"Line_Items"', 'app.orders', '"select"', 'née', 'a$b');
const comparison = fc.constantFrom('=', '<>', '<=', '>=', '<', '>', 'like', '||', '*', '-', '+');

const condition: fc.Arbitrary<Part[]> = fc.letrec<{ condition: Part[] }>(tie => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(name, comparison).map(([column, operator]) => [...text(`${column} ${operator}`), literal]),
    fc.tuple(name, fc.boolean()).map(([column, not]) => text(`${column} is ${not ? 'not null' : 'null'}`)),
    name.map(column => [...text(`${column} between`), literal, ...text('and'), literal]),
    name.map(column => [...text(`${column} in (`), { is: 'list' as const }, ...text(')')]),
    name.map(column => [...text(`f ( ${column} ,`), literal, ...text(') ='), literal]),
    fc
      .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
      .map(([left, word, right]) => [...text('('), ...left, ...text(word), ...right, ...text(')')]),
    tie('condition').map(inner => [...text('exists ( select * from t where'), ...inner, ...text(')')]),
  ),
})).condition;

/** A query of one form. */
export const form: fc.Arbitrary<Part[]> = fc.oneof(
  fc
    .tuple(name, condition, fc.boolean())
    .map(([table, where, limited]) => [
      ...text(`select * from ${table} where`),
      ...where,
      ...(limited ? [...text('limit'), literal] : []),
    ]),
  fc
    .tuple(name, fc.integer({ min: 1, max: 4 }))
    .map(([table, width]) => [
      ...text(`insert into ${table} ( ${Array.from({ length: width }, () => 'c').join(' , ')} ) values`),
      { is: 'rows' as const, width },
    ]),
  fc
    .tuple(name, condition)
    .map(([table, where]) => [
      ...text(`update ${table} set a =`),
      literal,
      ...text(', b ='),
      literal,
      ...text('where'),
      ...where,
    ]),
  fc.tuple(name, condition).map(([table, where]) => [...text(`delete from ${table} where`), ...where]),
);

const nasty = fc
  .array(
    fc.constantFrom(
      "'",
      '"',
      '\\',
      '--',
      '/*',
      '*/',
      '$',
      '$$',
      '\n',
      ' ',
      ';',
      'a',
      '1',
      ',',
      ')',
      '#',
      '?',
    ),
  )
  .map(parts => parts.join(''));
const content = fc.tuple(nasty, nasty).map(([before, after]) => `${before}${secret}${after}`);
const digits = fc.integer({ min: 0, max: 999_999 });
const doubled = (value: string): string => value.replaceAll("'", "''");
const escaped = (value: string, quote: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);

/** Literals of a dialect; each has {@link secret} in it or is made of digits. */
export const literals: Readonly<Record<Exclude<SqlDialect, 'standard'>, fc.Arbitrary<string>>> = {
  postgresql: fc.oneof(
    content.map(value => `'${doubled(value)}'`),
    content.map(value => `E'${escaped(value, "'")}'`),
    content.map(value => `e'${doubled(value.replaceAll('\\', '\\\\'))}'`),
    content.map(value => `$q$${value.replaceAll('$', '')}$q$`),
    content.map(value => `$$${value.replaceAll('$', '')}$$`),
    content.map(value => `U&'${doubled(value.replaceAll('\\', ''))}'`),
    content.map(value => `'${doubled(value)}'\n  '${doubled(value)}'`),
    digits.map(value => `x'${value}'`),
    digits.map(value => String(value)),
    digits.map(value => `-${value}.5e-3`),
    digits.map(value => `.${value}`),
    digits.map(value => `0x${value}`),
    digits.map(value => `$${value}`),
    fc.constantFrom('null', 'TRUE', 'false'),
  ),
  mysql: fc.oneof(
    content.map(value => `'${doubled(value.replaceAll('\\', '\\\\'))}'`),
    content.map(value => `'${escaped(value, "'")}'`),
    content.map(value => `"${escaped(value, '"')}"`),
    content.map(value => `"${value.replaceAll('\\', '').replaceAll('"', '""')}"`),
    content.map(value => `N'${escaped(value, "'")}'`),
    digits.map(value => String(value)),
    digits.map(value => `-${value}.5e-3`),
    digits.map(value => `0x${value}`),
    fc.constantFrom('?', 'null', 'TRUE'),
  ),
};

const gaps: Readonly<Record<'postgresql' | 'mysql', fc.Arbitrary<string>>> = {
  postgresql: fc.constantFrom(
    ' ',
    '  ',
    '\n',
    '\t',
    ` -- ${secret} '\n`,
    `/* ${secret} /* " */ ' */`,
    ' /**/ ',
  ),
  mysql: fc.constantFrom(' ', '\n', '\r\n', ` -- ${secret} '\n`, ` # ${secret} "\n`, `/* ${secret} ' */`),
};

/** Texts of one form: with other literals, lists of other lengths, other gaps and comments, and words in other case. */
export function written(dialect: 'postgresql' | 'mysql', parts: readonly Part[]): fc.Arbitrary<string> {
  const one = literals[dialect];
  const list = fc.array(one, { minLength: 1, maxLength: 4 }).map(values => values.join(' , '));
  const pieces = parts.map(part => {
    if (part.is === 'literal') return one;
    if (part.is === 'list') return list;
    if (part.is === 'text') {
      const quoted = /"/.test(part.text);
      const given = dialect === 'mysql' ? part.text.replaceAll('"', '`').replaceAll('||', 'xor') : part.text;
      // Letters outside of ASCII have cases of their own, which databases leave alone.
      return quoted || /[^ -~]/.test(given)
        ? fc.constant(given)
        : fc.constantFrom(given, given.toUpperCase());
    }
    const row = fc
      .array(one, { minLength: part.width, maxLength: part.width })
      .map(values => `(${values.join(', ')})`);
    return fc.array(row, { minLength: 1, maxLength: 3 }).map(rows => rows.join(','));
  });
  return fc
    .tuple(
      fc.tuple(...pieces),
      fc.array(gaps[dialect], { minLength: pieces.length, maxLength: pieces.length }),
    )
    .map(([texts, between]) => texts.map((piece, i) => `${between[i]}${piece}`).join(''));
}
