import { type Config, type Option, options } from './options';

/** Most characters of a value that a message shows. */
const maxShown = 200;

/** A value for a message: quoted, shortened, and never a secret, the credentials in a URL or its query. */
export function redact(option: Option<unknown>, text: string): string {
  if (option.secret) return '[redacted]';
  // What should be a URL and is none may lack its scheme, and hold a password all the same.
  const credentials = option.parser.type === 'URL' ? /^([a-z][a-z\d+.-]*:\/\/)?.*@/is : /(\/\/)[^\s"]*@/g;
  const query = option.parser.type === 'URL' ? /\?.*$/s : /(?!)/;
  const bare = text
    .replace(credentials, (_, before: string | undefined) => `${before ?? ''}[redacted]@`)
    .replace(query, '?[redacted]');
  return JSON.stringify(bare.length > maxShown ? `${bare.slice(0, maxShown)}…` : bare);
}

/** The options that differ from their defaults, as `NAME=value` for the start-up line at level info. */
export function describe(config: Config): string {
  const parts: string[] = [];
  for (const [key, option] of Object.entries(options) as [keyof Config, Option<unknown>][]) {
    const value = config[key];
    if (JSON.stringify(value) === JSON.stringify(option.default)) continue;
    parts.push(`${option.env}=${redact(option, typeof value === 'string' ? value : JSON.stringify(value))}`);
  }
  return parts.join(' ');
}
