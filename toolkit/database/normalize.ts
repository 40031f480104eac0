import { type SqlDialect, type SqlToken, sqlTokens } from './sql-tokens';

/** Characters of a text that are looked at, and of what comes out. */
export const longestText = 65_536;
export const longestQuery = 4096;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
/** After these an expression begins: a sign there belongs to the number, and `null` is a value. */
const beforeExpression = words(
  'select distinct all where and or having when then else case between like ilike in values limit offset by ' +
    'returning return any some top fetch first next interval xor div mod rlike regexp escape from for',
);
const constants = words('null true false');
/** Before an opening parenthesis these are no functions. */
const apart = words(
  'in values select from join where and or not on as exists using over union except intersect then ' +
    'else when case into with within filter partition set returning by is between like having limit lateral key ' +
    'check references unique primary default',
);
const subquery = words('select with values table');

/**
 * What a query has in common with others that differ only in their values, to count them together: literals and
 * placeholders are `?`, lists of values after `IN`, in `ARRAY[...]` and the rows of `VALUES` are cut to those that
 * differ in form, comments go, white space is one form, and words without quotes are in lower case.
 *
 * No literal gets through, whatever the text. A text of more than 65,536 characters is looked at as far as that, and
 * what comes out has at most 4,096. Never throws. For PostgreSQL `standard_conforming_strings` is taken to be on, and
 * for MySQL `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES` to be off, as they are by default.
 *
 * @param dialect how strings, names and comments are written
 */
export function normalizeQuery(sql: string, dialect: SqlDialect = 'postgresql'): string {
  const whole = sql.length <= longestText;
  const tokens = valuesOf(sqlTokens(whole ? sql : sql.slice(0, longestText), dialect));
  const { items } = parse(tokens, whole);
  let text = '';
  let before: SqlToken | undefined;
  for (const token of items.flatMap(flat)) {
    text += needsSpace(before, token) ? ` ${token.text}` : token.text;
    before = token;
    if (text.length > longestQuery) break;
  }
  text = text.replace(/[\s;]+$/, '');
  if (whole && text.length <= longestQuery) return text;
  return `${text.slice(0, longestQuery - 1)}…`;
}

/** Takes signs, adjacent strings and constants such as `null` for the values that they are part of. */
function valuesOf(tokens: readonly SqlToken[]): SqlToken[] {
  const out: SqlToken[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const before = out[out.length - 1];
    const begins = beginsExpression(before);
    if (token.kind === 'string' && before?.kind === 'string') continue;
    if (token.kind === 'operator' && begins) {
      if (/^[+-]+$/.test(token.text) && tokens[i + 1]?.kind === 'value') continue;
      if (token.text === '?') {
        out.push({ kind: 'value', text: '?' });
        continue;
      }
    }
    if (token.kind === 'word' && begins && constants.has(token.text) && !isMark(tokens[i + 1], '.')) {
      out.push({ kind: 'value', text: '?' });
      continue;
    }
    out.push(token);
  }
  return out;
}

function beginsExpression(before: SqlToken | undefined): boolean {
  if (before === undefined || before.kind === 'operator') return true;
  if (before.kind === 'mark') return before.text === '(' || before.text === ',' || before.text === '[';
  return before.kind === 'word' && beforeExpression.has(before.text);
}

function isMark(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}

/** What stands in brackets, with them. */
interface Group {
  readonly kind: 'group';
  readonly items: Item[];
  /** Its text, to compare. */
  readonly text: string;
  readonly hasValue: boolean;
}
type Item = SqlToken | Group;

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']' };
/** Deeper than anybody nests, and short of the end of the stack. */
const deepest = 200;

/** Puts brackets together, and cuts lists of values short. */
function parse(tokens: readonly SqlToken[], whole: boolean): { items: Item[] } {
  let at = 0;
  const level = (closer: string | undefined, inArray: boolean, depth: number): Item[] => {
    const items: Item[] = [];
    while (at < tokens.length) {
      const token = tokens[at++]!;
      const opens = token.kind === 'mark' ? closers[token.text] : undefined;
      if (opens === undefined || depth >= deepest) {
        if (token.kind === 'mark' && token.text === closer) {
          items.push(token);
          return items;
        }
        items.push(token);
        continue;
      }
      const before = items[items.length - 1];
      const isArray = token.text === '[' && (inArray || isWord(before, 'array'));
      let inner = level(opens, isArray, depth + 1);
      const closed = isMark(inner[inner.length - 1] as SqlToken | undefined, opens);
      // The rest of a text that was cut off: what is in it depends on where.
      if (!closed && !whole) continue;
      const content = closed ? inner.slice(0, -1) : inner;
      const first = content[0];
      const isList = first !== undefined && !(first.kind === 'word' && subquery.has(first.text));
      if (isList && (isArray || isWord(before, 'in'))) {
        inner = [...unlike(content), ...(closed ? inner.slice(-1) : [])];
      }
      items.push(groupOf([token, ...inner]));
    }
    return items;
  };
  const items = level(undefined, false, 0);
  return { items: rowsOf(items) };
}

function groupOf(items: Item[]): Group {
  const rows = rowsOf(items);
  return {
    kind: 'group',
    items: rows,
    text: rows.map(item => item.text).join(' '),
    hasValue: rows.some(hasValue),
  };
}

/** Of the elements between commas those with a value that are written like an earlier one go. */
function unlike(content: readonly Item[]): Item[] {
  const seen = new Set<string>();
  const out: Item[] = [];
  let element: Item[] = [];
  const take = (): void => {
    const text = element.map(item => item.text).join(' ');
    if (element.length > 0 && !(element.some(hasValue) && seen.has(text))) {
      if (out.length > 0) out.push({ kind: 'mark', text: ',' });
      out.push(...element);
    }
    seen.add(text);
    element = [];
  };
  for (const item of content) {
    if (item.kind === 'mark' && item.text === ',') take();
    else element.push(item);
  }
  take();
  return out;
}

/** Of the rows after VALUES those that are written like an earlier one go. */
function rowsOf(items: readonly Item[]): Item[] {
  const out: Item[] = [];
  for (let i = 0; i < items.length; ) {
    const item = items[i++]!;
    out.push(item);
    const first = items[i];
    if (!isWord(item, 'values') || first?.kind !== 'group') continue;
    out.push(first);
    i++;
    const seen = new Set([first.text]);
    while (isMarkItem(items[i], ',') && items[i + 1]?.kind === 'group') {
      const row = items[i + 1]!;
      if (!seen.has(row.text)) out.push(items[i]!, row);
      seen.add(row.text);
      i += 2;
    }
    // The row after this comma was cut off.
    if (isMarkItem(items[i], ',') && i + 1 === items.length) i++;
  }
  return out;
}

const isWord = (item: Item | undefined, text: string): boolean => item?.kind === 'word' && item.text === text;
const isMarkItem = (item: Item | undefined, text: string): boolean =>
  item?.kind === 'mark' && item.text === text;
const hasValue = (item: Item): boolean =>
  item.kind === 'group' ? item.hasValue : item.kind === 'value' || item.kind === 'string';

function flat(item: Item): SqlToken[] {
  return item.kind === 'group' ? item.items.flatMap(flat) : [item];
}

function needsSpace(before: SqlToken | undefined, token: SqlToken): boolean {
  if (before === undefined) return false;
  if (before.kind === 'mark' && /^(?:[([.]|::)$/.test(before.text)) return false;
  if (token.kind !== 'mark') return true;
  if (token.text === '(') {
    if (before.kind === 'word') return apart.has(before.text);
    return before.kind !== 'name';
  }
  if (token.text === '[')
    return before.kind === 'operator' || (before.kind === 'word' && apart.has(before.text));
  return token.text === '.' && before.kind === 'word' && apart.has(before.text);
}
