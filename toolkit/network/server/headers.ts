import type { HttpResponse } from './http-part';

/** Names `field` in `Vary`, unless it is there or all is. */
export function addVary(response: HttpResponse, field: string): void {
  const present = response.getHeader('vary');
  if (present === undefined) {
    response.setHeader('vary', field);
    return;
  }
  const fields = String(present)
    .split(',')
    .map(one => one.trim().toLowerCase());
  if (fields.includes('*') || fields.includes(field.toLowerCase())) return;
  response.setHeader('vary', `${String(present)}, ${field}`);
}

/** Makes a strong `ETag` weak: what is sent has the same meaning and other bytes. */
export function weaken(response: HttpResponse): void {
  const tag = response.getHeader('etag');
  if (typeof tag === 'string' && tag.startsWith('"')) response.setHeader('etag', `W/${tag}`);
}
