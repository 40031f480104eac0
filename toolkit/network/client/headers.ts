import type { HttpHeaders } from './options';

/** Header fields with names in lower case. */
export type Headers = Record<string, string | string[]>;

/** A copy with names in lower case, without fields that are undefined. */
export function lowerCased(headers: HttpHeaders): Headers {
  const copy: Headers = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) copy[name.toLowerCase()] = value as string | string[];
  }
  return copy;
}

/** The first value of a field. */
export function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** All values of a field as one. */
export function joined(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}
