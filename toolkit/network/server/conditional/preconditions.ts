/** The validators of what is there now. */
export interface Validators {
  /** Its entity tag as a header has it: `"abc"` or `W/"abc"`. */
  readonly etag?: string | undefined;
  /** When it changed last. */
  readonly lastModified?: Date | undefined;
  /** Whether there is anything; `If-Match: *` asks for that. @default true */
  readonly exists?: boolean;
}

/** What is read of a request. */
export interface ConditionalRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What comes of a request's conditions. */
export type ConditionResult = 'proceed' | 'not_modified' | 'failed';

const safe = new Set(['GET', 'HEAD']);

/**
 * Evaluates the conditions of a request in the order of RFC 9110, section 13.2.2: `If-Match`, else
 * `If-Unmodified-Since`; then `If-None-Match`, else, of GET and HEAD, `If-Modified-Since`. Dates that are none are
 * passed over.
 *
 * @returns `not_modified` for 304, `failed` for 412
 */
export function evaluatePreconditions(request: ConditionalRequest, current: Validators): ConditionResult {
  const { etag, lastModified, exists = true } = current;
  const read = (name: string): string | undefined => {
    const value = request.headers[name];
    return value === undefined || typeof value === 'string' ? value : value.join(', ');
  };
  const date = (name: string): number | undefined => {
    const at = httpDate(read(name));
    return at === undefined || lastModified === undefined ? undefined : at;
  };
  // Dates of HTTP have whole seconds.
  const modified = lastModified === undefined ? 0 : Math.floor(lastModified.getTime() / 1000) * 1000;

  const match = read('if-match');
  if (match !== undefined) {
    const matches = match.trim() === '*' ? exists : exists && isStrong(etag) && tagsOf(match).includes(etag!);
    if (!matches) return 'failed';
  } else {
    const unmodifiedSince = date('if-unmodified-since');
    if (unmodifiedSince !== undefined && modified > unmodifiedSince) return 'failed';
  }

  const isSafe = safe.has(request.method ?? 'GET');
  const noneMatch = read('if-none-match');
  if (noneMatch !== undefined) {
    const matches = noneMatch.trim() === '*' ? exists : exists && matchingTag(noneMatch, etag) !== undefined;
    if (matches) return isSafe ? 'not_modified' : 'failed';
    return 'proceed';
  }
  const modifiedSince = isSafe ? date('if-modified-since') : undefined;
  return modifiedSince !== undefined && modified <= modifiedSince ? 'not_modified' : 'proceed';
}

/** The tag of a list that means the same as `etag`, be they strong or weak. */
export function matchingTag(list: string, etag: string | undefined): string | undefined {
  if (etag === undefined) return undefined;
  const opaque = withoutWeakness(etag);
  return tagsOf(list).find(tag => withoutWeakness(tag) === opaque);
}

/** The entity tags of a list; what is malformed is passed over. */
export function tagsOf(list: string): string[] {
  // Commas may stand in a tag.
  return list.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
}

const withoutWeakness = (tag: string): string => (tag.startsWith('W/') ? tag.slice(2) : tag);
const isStrong = (tag: string | undefined): boolean => tag?.startsWith('"') === true;

/** Milliseconds since 1970 of a date of HTTP; `undefined` of anything else. */
export function httpDate(text: string | undefined): number | undefined {
  // The three forms of RFC 9110, section 5.6.7, begin with a weekday; `Date.parse` takes much else.
  if (text === undefined || !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  // That of C's asctime() has no zone, and is of GMT.
  const at = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : at;
}
