/** Reads the text of one variable. Throws {@link Expected} with what would have been right. */
export interface Parser<T> {
  /** The type, as the documentation names it. */
  readonly type: string;
  parse(text: string): T;
}

/** What a value should have been; the loader adds which variable and what it was. */
export class Expected extends Error {
  override readonly name = 'Expected';
}

function parser<T>(type: string, parse: (text: string) => T): Parser<T> {
  return { type, parse };
}

/** Only `true` is true, case-insensitively; what is neither `true` nor `false` is a mistake. */
export const boolean = parser('boolean', text => {
  const lower = text.toLowerCase();
  if (lower !== 'true' && lower !== 'false') throw new Expected('true or false');
  return lower === 'true';
});

/** Text that goes into attributes and labels; a control character in it is a mistake of quoting. */
export const string = parser('string', text => {
  if (/\p{Cc}/u.test(text)) throw new Expected('text without control characters');
  return text;
});

export const secret: Parser<string> = { ...string, type: 'secret' };

/** Text that is the value of an HTTP header. */
const headerText = (type: 'string' | 'secret'): Parser<string> =>
  parser(type, text => {
    if (!visibleAscii.test(text)) throw new Expected('visible ASCII characters, as HTTP headers take them');
    return text;
  });
const visibleAscii = /^[\x20-\x7e]+$/;
export const headerValue = headerText('string');
export const secretHeaderValue = headerText('secret');

export function integer(min: number, max: number): Parser<number> {
  return parser(`integer, ${min} to ${max}`, text => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || value < min || value > max) {
      throw new Expected(`an integer from ${min} to ${max}`);
    }
    return value;
  });
}

export function oneOf<const V extends string>(...values: readonly V[]): Parser<V> {
  return parser(`one of ${values.join(', ')}`, text => {
    const lower = text.toLowerCase() as V;
    if (!values.includes(lower)) throw new Expected(`one of ${values.join(', ')}`);
    return lower;
  });
}

export function listOf<const V extends string>(...values: readonly V[]): Parser<readonly V[]> {
  return parser(`comma list of ${values.join(', ')}`, text => {
    const items = split(text).map(item => item.toLowerCase() as V);
    const wrong = items.filter(item => !values.includes(item));
    if (items.length === 0 || wrong.length > 0) throw new Expected(`a comma list of ${values.join(', ')}`);
    if (items.length > 1 && (items as string[]).includes('none')) throw new Expected('none to stand alone');
    return [...new Set(items)];
  });
}

/** Names that other parts check, such as those of meters. */
export const names = parser('comma list', text => {
  const items = split(text);
  if (items.length === 0) throw new Expected('a comma list of names');
  return items as readonly string[];
});

export const url = parser('URL', text => {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Expected('an http or https URL');
  return text.replace(/\/+$/, '');
});

/** A URL whose path is not to be touched. */
export const exactUrl = parser('URL', text => {
  url.parse(text);
  return text;
});

/** A share. */
export const ratio = parser('number, 0 to 1', text => {
  const value = Number(text);
  if (!/^\+?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text) || value > 1) throw new Expected('a number from 0 to 1');
  return value;
});

/**
 * Numbers by name, such as `min=20,max=200`; those left out keep their defaults. Where there are a `min` and a `max`
 * other than 0, the one must not be above the other.
 */
export function numbers<const K extends string>(
  defaults: Readonly<Record<K, number>>,
): Parser<Readonly<Record<K, number>>> {
  const keys = Object.keys(defaults);
  const form = keys.map(key => `${key}=number`).join(',');
  return parser(form, text => {
    const values: Record<string, number> = { ...defaults };
    for (const item of split(text)) {
      const [key = '', number = ''] = item.split('=').map(part => part.trim());
      if (!keys.includes(key) || !/^(\d+\.?\d*|\.\d+)$/.test(number)) {
        throw new Expected(`${form}, each a number that is not negative`);
      }
      values[key] = Number(number);
    }
    const { min = 0, max = 0 } = values as { min?: number; max?: number };
    if (max > 0 && min > max) throw new Expected(`${form} with min not above max (${min}, ${max})`);
    return Object.freeze(values) as Readonly<Record<K, number>>;
  });
}

/** `key=value` pairs as in W3C baggage: comma-separated, values percent-encoded. */
export const keyValues = parser('comma list of key=value', text => {
  const pairs: Record<string, string> = {};
  for (const item of split(text)) {
    const at = item.indexOf('=');
    const key = item.slice(0, at).trim();
    if (at < 1 || key === '') throw new Expected('a comma list of key=value');
    try {
      pairs[key] = decodeURIComponent(item.slice(at + 1).trim());
    } catch {
      throw new Expected('values whose percent-encoding is whole');
    }
  }
  return pairs as Readonly<Record<string, string>>;
});

/** The same as HTTP headers, whose names are tokens: https://www.rfc-editor.org/rfc/rfc9110#name-tokens. */
export const headers: Parser<Readonly<Record<string, string>>> = {
  type: keyValues.type,
  parse(text) {
    const pairs = keyValues.parse(text);
    for (const [name, value] of Object.entries(pairs)) {
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new Expected('names of HTTP headers');
      if (value !== '' && !visibleAscii.test(value)) throw new Expected('values of visible ASCII characters');
    }
    return pairs;
  },
};

/** A host to listen on: a name, an IPv4 or an IPv6 address, without port. */
export const host = parser('host', text => {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (!/^[\w.:%-]+$/.test(bare) || /^[\w.-]+:\d+$/.test(bare))
    throw new Expected('a host name or address without port');
  return bare;
});

function split(text: string): string[] {
  return text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');
}
