import { check } from 'k6';
import http, { type RefinedResponse } from 'k6/http';
import { baseUrl } from './config.ts';

/** A request of the shop, and what its answer should be. */
export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The route, such as `/products/:id`: the `name` of the request, of which there are few, whatever the URLs are. */
  readonly route: string;
  /** The path itself, with its query. @default the route */
  readonly path?: string;
  readonly body?: object;
  /** The name of the check. */
  readonly what: string;
  /** Statuses that are no failure. @default 200 */
  readonly expect?: readonly number[];
}

/** An answer of the shop. */
export type Answer = RefinedResponse<'text'>;

/** Sends the request under its route's name and checks the status of the answer. */
export function ask({ method, route, path = route, body, what, expect = [200] }: Ask): Answer {
  const answer = http.request(method, `${baseUrl}${path}`, body ? JSON.stringify(body) : null, {
    tags: { name: route },
    responseType: 'text',
    responseCallback: http.expectedStatuses(...expect),
    ...(body ? { headers: { 'content-type': 'application/json' } } : {}),
  });
  check(answer, { [what]: ({ status }) => expect.includes(status) });
  return answer;
}

/** The text at a GJSON path of the answer; an empty one where there is none. */
export function textOf(answer: Answer, path: string): string {
  const value = isJson(answer) ? answer.json(path) : undefined;
  return typeof value === 'string' ? value : '';
}

/** The numbers at a GJSON path of the answer; none where there are none. */
export function numbersOf(answer: Answer, path: string): number[] {
  const value = isJson(answer) ? answer.json(path) : undefined;
  const values = Array.isArray(value) ? value : [value];
  return values.filter(one => typeof one === 'number');
}

function isJson({ body }: Answer): boolean {
  return typeof body === 'string' && /^\s*[{[]/.test(body);
}
