import { dialectOf, type Token, tokenize } from './tokens';

/** What a query does and to which tables, without any value. */
export interface Summary {
  /** The statement's first keyword, upper case; `_OTHER` where the text begins with none that is known. */
  readonly operation: string;
  /** The operations and their tables in the order of the text, at most 255 characters, as the conventions ask. */
  readonly summary: string;
}

const other: Summary = Object.freeze({ operation: '_OTHER', summary: '_OTHER' });

/** Characters and tokens of a query that are looked at: names come early, and the cost stays bounded. */
const maxText = 4000;
const maxTokens = 1000;
const maxSummary = 255;
const maxName = 63;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
/** Keywords that begin an operation wherever a statement may begin. */
const dml = words('SELECT INSERT UPDATE DELETE MERGE REPLACE UPSERT');
const ddl = words('CREATE ALTER DROP TRUNCATE');
const plain = words(
  'BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE ABORT END SET RESET SHOW EXPLAIN ANALYZE ANALYSE VACUUM REINDEX ' +
    'CLUSTER LOCK LISTEN UNLISTEN NOTIFY COPY DECLARE FETCH CLOSE MOVE PREPARE EXECUTE DEALLOCATE DISCARD GRANT ' +
    'REVOKE COMMENT CALL DO USE DESCRIBE DESC PRAGMA ATTACH DETACH REFRESH REASSIGN CHECKPOINT LOAD VALUES TABLE ' +
    'EXEC KILL OPTIMIZE RENAME FLUSH HANDLER XA UNLOCK IMPORT SECURITY',
);
const objects = words(
  'TABLE INDEX VIEW SEQUENCE SCHEMA DATABASE TYPE FUNCTION PROCEDURE TRIGGER EXTENSION ROLE USER DOMAIN POLICY',
);
/** Words between an operation or FROM and the name it is about. */
const fillers = words(
  'INTO FROM ONLY LATERAL IF NOT EXISTS CONCURRENTLY IGNORE LOW_PRIORITY DELAYED QUICK OR REPLACE',
);
const modifiers = words(
  'UNIQUE TEMP TEMPORARY UNLOGGED GLOBAL LOCAL MATERIALIZED RECURSIVE FOREIGN OR REPLACE EXTERNAL FULLTEXT SPATIAL',
);
/** What ends a list of tables. */
const clauses = words(
  'WHERE SET VALUES ON USING GROUP ORDER HAVING LIMIT OFFSET FETCH FOR UNION INTERSECT EXCEPT RETURNING WINDOW ' +
    'DEFAULT SELECT WHEN TABLESAMPLE',
);

/** One level of parentheses, as far as it is about tables. */
interface Level {
  /** A statement or subquery stands here, so FROM and JOIN name tables; in `extract(year from x)` they do not. */
  statement: boolean;
  /** After FROM, a comma goes on to the next table. */
  inFrom: boolean;
}

/**
 * Summarises one SQL text. Never throws, and never lets a literal through.
 *
 * @param system `db.system.name`, which says how strings and comments are written
 *
 * {@link https://opentelemetry.io/docs/specs/semconv/database/database-spans/#generating-a-summary-of-the-query}
 */
export function summarize(sql: string, system = 'postgresql'): Summary {
  const text = sql.length > maxText ? sql.slice(0, maxText) : sql;
  const tokens = tokenize(text, dialectOf(system), maxTokens);
  const parts: string[] = [];
  let operation: string | undefined;
  let begins = true;
  const levels: Level[] = [{ statement: true, inFrom: false }];

  /** Takes the name at `i`, if there is one, and gives the index after it. */
  const takeName = (i: number, functionsToo: boolean): number => {
    const { name, next } = nameAt(tokens, i);
    const isFunction = !functionsToo && isMark(tokens[next], '(');
    if (name !== undefined && !isFunction) parts.push(name);
    return next;
  };

  for (let i = 0; i < tokens.length; ) {
    const token = tokens[i]!;
    const level = levels[levels.length - 1]!;
    if (token.kind === 'mark') {
      i++;
      if (token.text === '(') levels.push({ statement: false, inFrom: false });
      else if (token.text === ')' && levels.length > 1) levels.pop();
      else if (token.text === ';' && levels.length === 1) {
        begins = true;
        level.statement = true;
        level.inFrom = false;
      } else if (token.text === ',' && level.inFrom) i = takeName(skip(tokens, i, fillers), false);
      continue;
    }
    if (token.kind === 'name') {
      i++;
      continue;
    }
    const word = token.text.toUpperCase();
    const first = begins || isMark(tokens[i - 1], '(') || isStatementStart(tokens, i);
    if (level.inFrom && clauses.has(word)) level.inFrom = false;
    if (dml.has(word) && first) {
      if (levels.length === 1) operation ??= word;
      level.statement = true;
      begins = false;
      parts.push(word);
      i++;
      if (word !== 'SELECT') i = takeName(skip(tokens, i, fillers), true);
    } else if (begins && ddl.has(word)) {
      operation ??= word;
      begins = false;
      i = skip(tokens, i + 1, modifiers);
      const object = tokens[i]?.text.toUpperCase() ?? '';
      parts.push(tokens[i]?.kind === 'word' && objects.has(object) ? `${word} ${object}` : word);
      if (objects.has(object)) i++;
      if (objects.has(object) || word === 'TRUNCATE') i = takeName(skip(tokens, i, fillers), true);
    } else if (begins && plain.has(word)) {
      operation ??= word;
      begins = false;
      parts.push(word);
      i++;
      // In COPY t FROM STDIN what comes from is no table. A SELECT further on makes it a statement again.
      level.statement = false;
      if (word === 'CALL' || word === 'COPY') i = takeName(i, true);
    } else if (level.statement && (word === 'FROM' || word === 'JOIN') && !isDistinctFrom(tokens, i)) {
      level.inFrom = word === 'FROM' || level.inFrom;
      i = takeName(skip(tokens, i + 1, fillers), false);
    } else {
      if (word !== 'WITH') begins = false;
      i++;
    }
  }
  if (operation === undefined) {
    const main = parts.find(part => dml.has(part));
    if (main === undefined) return other;
    operation = main;
  }
  return { operation, summary: join(parts) };
}

/** Whether an operation may begin at `i` though a statement is under way: `INSERT ... SELECT`, a CTE's end, UNION. */
function isStatementStart(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1];
  if (tokens[i]!.text.toUpperCase() === 'SELECT') return !isMark(before, '.') && !isMark(before, ',');
  return isMark(before, ')') || (before?.kind === 'word' && before.text.toUpperCase() === 'EXPLAIN');
}

function isDistinctFrom(tokens: readonly Token[], i: number): boolean {
  const word = (at: number) => (tokens[at]?.kind === 'word' ? tokens[at]!.text.toUpperCase() : '');
  return word(i - 1) === 'DISTINCT' && (word(i - 2) === 'IS' || word(i - 2) === 'NOT');
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}

function skip(tokens: readonly Token[], from: number, set: ReadonlySet<string>): number {
  let i = from;
  while (tokens[i]?.kind === 'word' && set.has(tokens[i]!.text.toUpperCase())) i++;
  return i;
}

/** A name with its schema at `i`; no name where a keyword, a subquery or nothing stands. */
function nameAt(tokens: readonly Token[], i: number): { name: string | undefined; next: number } {
  const token = tokens[i];
  if (token === undefined || token.kind === 'mark') return { name: undefined, next: i };
  if (token.kind === 'word' && (clauses.has(token.text.toUpperCase()) || dml.has(token.text.toUpperCase()))) {
    return { name: undefined, next: i };
  }
  let name = token.text;
  let next = i + 1;
  while (isMark(tokens[next], '.') && tokens[next + 1] !== undefined && tokens[next + 1]!.kind !== 'mark') {
    name += `.${tokens[next + 1]!.text}`;
    next += 2;
  }
  // A name that is no plain identifier is somebody's data or a mistake, and says nothing to who reads it.
  return {
    name: /^[\w$.\u0080-\uffff -]+$/.test(name) && name.length <= maxName * 2 ? name : undefined,
    next,
  };
}

function join(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) {
    if (text.length + part.length + 1 > maxSummary) break;
    text += text === '' ? part : ` ${part}`;
  }
  return text;
}
