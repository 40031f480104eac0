// Where quotes and comments of SQL end, for whoever reads it: the agent's summaries and the database manager's queries.

/** Just past the closing quote; past the end of the text by one where none closes. A doubled quote does not close. */
export function endOfQuote(sql: string, from: number, quote: string, backslash: boolean): number {
  for (let at = from; at < sql.length; at++) {
    const char = sql[at];
    if (char === '\\' && backslash) at++;
    else if (char === quote && sql[at + 1] === quote) at++;
    else if (char === quote) return at + 1;
  }
  return sql.length + 1;
}

/** Just past the end of a comment. */
export function endOfComment(sql: string, from: number, nested: boolean): number {
  let depth = 1;
  for (let at = from; at < sql.length; at++) {
    if (sql[at] === '*' && sql[at + 1] === '/') {
      at++;
      if (--depth === 0) return at + 1;
    } else if (nested && sql[at] === '/' && sql[at + 1] === '*') {
      at++;
      depth++;
    }
  }
  return sql.length;
}
