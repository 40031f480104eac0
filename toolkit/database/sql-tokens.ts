import { endOfComment, endOfQuote } from '../sql-scan';

/** How the texts of a database are written, where databases differ in what is a string, a name or a comment. */
export type SqlDialect = 'postgresql' | 'mysql' | 'standard';

/**
 * - `word`: a keyword or a name without quotes; `name`: one with quotes, quotes included
 * - `value`: a number or a placeholder; `string`: a literal in quotes of whatever kind. Neither has its text.
 * - `operator`, and `mark`: one of `( ) [ ] , . ;` and `::`
 */
export type SqlTokenKind = 'word' | 'name' | 'value' | 'string' | 'operator' | 'mark';

/** A part of an SQL text. Comments and white space are none; literals are, without what they say. */
export interface SqlToken {
  readonly kind: SqlTokenKind;
  /** As it is written, `?` for literals. Words in lower case. */
  readonly text: string;
}

const letter = 'A-Za-z_\\u0080-\\uffff';
const word = `(?<word>[${letter}][\\w$\\u0080-\\uffff]*)`;
/** With what follows without a break: it is no valid number then, and must show all the less. */
const number =
  `(?<value>(?:0[xX][\\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\\d[\\d_]*(?:\\.[\\d_]*)?|\\.\\d[\\d_]*)` +
  `(?:[eE][+-]?\\d+)?)[\\w$\\u0080-\\uffff]*)`;
const mark = '(?<mark>::|[()\\[\\],.;])';
const skipped = '\\s+|\\/\\*';
const prefixed = `(?:[nNbBxX]|[uU]&)?'`;
const pattern = (...parts: string[]): RegExp => new RegExp([skipped, ...parts].join('|'), 'sy');

interface Rules {
  readonly pattern: RegExp;
  /** A backslash escapes in every string. */
  readonly backslash: boolean;
  /** A double quote begins a string and no name. */
  readonly doubleQuoted: boolean;
  readonly nestedComments: boolean;
}

const rules: Readonly<Record<SqlDialect, Rules>> = {
  // https://www.postgresql.org/docs/current/sql-syntax-lexical.html
  postgresql: {
    pattern: pattern(
      '--[^\\n\\r]*',
      `(?<dollar>\\$(?:[${letter}][\\w\\u0080-\\uffff]*)?\\$)`,
      '(?<param>\\$\\d+)',
      `(?<quote>[eE]'|${prefixed}|(?:[uU]&)?")`,
      number,
      word,
      mark,
      '(?<operator>[-+*\\/<>=~!@#%^&|`?:]+|.)',
    ),
    backslash: false,
    doubleQuoted: false,
    nestedComments: true,
  },
  // https://dev.mysql.com/doc/refman/8.4/en/string-literals.html, /comments.html and /identifiers.html
  mysql: {
    pattern: pattern(
      '--(?=[\\s\\x00-\\x1f]|$)[^\\n]*|#[^\\n]*',
      '(?<param>\\?)',
      `(?<quote>${prefixed}|[nN]?"|\`)`,
      number,
      word,
      '(?<variable>@@?[\\w$.]*)',
      mark,
      '(?<operator>[-+*\\/<>=~!%^&|:]+|.)',
    ),
    backslash: true,
    doubleQuoted: true,
    nestedComments: false,
  },
  standard: {
    pattern: pattern(
      '--[^\\n]*',
      '(?<param>\\?|\\$\\d+)',
      `(?<quote>${prefixed}|"|\`)`,
      number,
      word,
      '(?<variable>[@:$][\\w$.]+)',
      `(?<bracket>\\[[${letter}][^\\]\\n]*\\])`,
      mark,
      '(?<operator>[-+*\\/<>=~!%^&|:]+|.)',
    ),
    backslash: false,
    doubleQuoted: false,
    nestedComments: false,
  },
};

/** Longer ones are nobody's names; PostgreSQL cuts at 63 bytes, MySQL refuses more than 64 characters. */
const longestName = 128;
const literal: SqlToken = { kind: 'string', text: '?' };
const value: SqlToken = { kind: 'value', text: '?' };

/** The tokens of `sql`, in time linear in its length. What is never closed is a literal to its end. */
export function sqlTokens(sql: string, dialect: SqlDialect): SqlToken[] {
  const { pattern, backslash, doubleQuoted, nestedComments } = rules[dialect];
  const tokens: SqlToken[] = [];
  let at = 0;
  while (at < sql.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(sql);
    if (match === null) break;
    const text = match[0];
    const groups = match.groups!;
    const begin = at;
    at += text.length;
    if (groups['word'] !== undefined) tokens.push({ kind: 'word', text: text.toLowerCase() });
    else if (groups['mark'] !== undefined) tokens.push({ kind: 'mark', text });
    else if (groups['value'] !== undefined || groups['param'] !== undefined) tokens.push(value);
    else if (groups['variable'] !== undefined) tokens.push({ kind: 'word', text: text.toLowerCase() });
    else if (groups['bracket'] !== undefined) tokens.push({ kind: 'name', text });
    else if (groups['dollar'] !== undefined) {
      const end = sql.indexOf(text, at);
      at = end < 0 ? sql.length : end + text.length;
      tokens.push(literal);
    } else if (groups['quote'] !== undefined) {
      const quote = text[text.length - 1]!;
      const isString = quote === "'" || (quote === '"' && doubleQuoted);
      at = endOfQuote(sql, at, quote, isString && (backslash || /^[eE]/.test(text)));
      const closed = at <= sql.length;
      if (isString || !closed || at - begin > longestName) tokens.push(literal);
      else tokens.push({ kind: 'name', text: sql.slice(begin, at) });
    } else if (text === '/*') at = endOfComment(sql, at, nestedComments);
    else if (groups['operator'] !== undefined) {
      const operator = cutOperator(text);
      at = begin + operator.length;
      tokens.push({ kind: 'operator', text: operator });
    }
  }
  return tokens;
}

/** Where a run of operator characters ends: before a comment, and before a sign unless a character allows for one. */
function cutOperator(run: string): string {
  const comment = run.search(/--|\/\*/);
  let operator = comment > 0 ? run.slice(0, comment) : run;
  if (operator.startsWith('::') || operator.startsWith(':=')) return operator.slice(0, 2);
  const colon = operator.indexOf(':', 1);
  if (colon > 0) operator = operator.slice(0, colon);
  if (!/[~!@#%^&|`?]/.test(operator)) {
    while (operator.length > 1 && /[+-]$/.test(operator)) operator = operator.slice(0, -1);
  }
  return operator;
}
