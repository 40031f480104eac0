import { endOfComment, endOfQuote } from '../../../toolkit/sql-scan';

/**
 * A part of an SQL text that says what it does: a word (keyword or name, quoted names without their quotes), or one
 * of `( ) , . ;`. Values are never tokens.
 */
export interface Token {
  readonly text: string;
  /** `name`: a quoted identifier, which is no keyword whatever it spells. */
  readonly kind: 'word' | 'name' | 'mark';
}

/** How the texts of a database are written, where databases differ in what is a string, a name or a comment. */
export interface Dialect {
  readonly pattern: RegExp;
  /** A backslash escapes inside every string, and a double quote begins a string instead of a name. */
  readonly mysql: boolean;
  readonly nestedComments: boolean;
}

/**
 * The patterns take one step each: white space and `--` comments, quotes, words, parameters, numbers, marks, and
 * any other character. What opens a string or a block comment is matched here and skipped to its end elsewhere.
 */
const start = String.raw`\s+|\/\*`;
const rest = String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|[:@]+(?![eE]')\w*|\$\d*|\.?\d[\w.]*|(?<mark>[(),.;])|.`;
const name = `(?<ident>(?:[uU]&)?"|\`)`;
const string = `(?:[nNbBxX]|[uU]&)?'`;
const dialect = (parts: string[], mysql: boolean, nestedComments: boolean): Dialect => ({
  pattern: new RegExp([start, ...parts, rest].join('|'), 'suy'),
  mysql,
  nestedComments,
});

/**
 * Dollar quotes, `E''` strings and comments that nest:
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
const postgresql = dialect(
  [
    '--[^\\n]*',
    String.raw`(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)`,
    `(?<escaped>[eE]')`,
    string,
    name,
  ],
  false,
  true,
);
/** https://dev.mysql.com/doc/refman/8.4/en/string-literals.html and /comments.html */
const mysql = dialect(
  [String.raw`--(?=\s|$)[^\n]*|#[^\n]*`, `${string}|(?:[nN])?"`, '(?<ident>`)'],
  true,
  false,
);
const brackets = String.raw`\[(?<bracket>[A-Za-z_][^\]\n]*)\]`;
const mssql = dialect(['--[^\\n]*', string, name, brackets], false, true);
const standard = dialect(['--[^\\n]*', string, name, brackets], false, false);

/** The dialect of a database, by its `db.system.name`. */
export function dialectOf(system: string): Dialect {
  if (/^(postgresql|cockroachdb|aws\.redshift)$/.test(system)) return postgresql;
  if (/^(mysql|mariadb)$/.test(system)) return mysql;
  return system === 'microsoft.sql_server' ? mssql : standard;
}

/** The tokens of `sql`, at most `limit` of them. Linear in the length of the text. */
export function tokenize(sql: string, { pattern, mysql, nestedComments }: Dialect, limit: number): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length && tokens.length < limit) {
    pattern.lastIndex = at;
    const match = pattern.exec(sql);
    if (match === null) break;
    const text = match[0];
    const groups = match.groups!;
    const last = text[text.length - 1]!;
    at += text.length;
    if (groups['word'] !== undefined) tokens.push({ text, kind: 'word' });
    else if (groups['mark'] !== undefined) tokens.push({ text, kind: 'mark' });
    else if (groups['bracket'] !== undefined) tokens.push({ text: groups['bracket'], kind: 'name' });
    else if (groups['ident'] !== undefined) {
      const end = endOfQuote(sql, at, last, false);
      if (end <= sql.length) tokens.push({ text: sql.slice(at, end - 1), kind: 'name' });
      at = end;
    } else if (text === '/*') at = endOfComment(sql, at, nestedComments);
    else if (groups['dollar'] !== undefined) at = after(sql.indexOf(text, at), text, sql);
    else if (!text.startsWith('-') && !text.startsWith('#') && (last === "'" || (mysql && last === '"'))) {
      at = endOfQuote(sql, at, last, mysql || groups['escaped'] !== undefined);
    }
  }
  return tokens;
}

function after(found: number, text: string, sql: string): number {
  return found < 0 ? sql.length : found + text.length;
}
