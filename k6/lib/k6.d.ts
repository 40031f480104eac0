// What the scenarios use of k6, which brings its own modules and runs TypeScript itself.

declare module 'k6' {
  export function check<T>(value: T, checks: Record<string, (value: T) => boolean>): boolean;
  export function sleep(seconds: number): void;
}

declare module 'k6/http' {
  export interface Response {
    readonly status: number;
    json(selector?: string): unknown;
  }
  export interface Params {
    readonly headers?: Record<string, string>;
    /** `name` keeps the requests of one route together, whatever their URL. */
    readonly tags?: Record<string, string>;
  }
  const http: {
    get(url: string, params?: Params): Response;
    post(url: string, body?: string | null, params?: Params): Response;
    put(url: string, body?: string | null, params?: Params): Response;
  };
  export default http;
}

declare const __ENV: Readonly<Record<string, string | undefined>>;
