import { type CaptureKind, captureKinds, maxDurationMs } from '../profiling/capture';
import { BadRequestError } from '../profiling/errors';

/** Characters of a wrong value that an answer repeats. */
const maxShown = 80;

const expected = (name: string, what: string, got: string | null): BadRequestError =>
  new BadRequestError(
    `${name}: expected ${what}, got ${got === null ? 'nothing' : JSON.stringify(got.slice(0, maxShown))}`,
  );

/** `?seconds=`, in milliseconds; `undefined` where it isn't given. @throws BadRequestError */
export function secondsParam(query: URLSearchParams, fraction = false): number | undefined {
  const text = query.get('seconds');
  if (text === null) return undefined;
  const seconds = Number(text);
  const form = fraction ? /^\d{1,9}(\.\d{1,9})?$/ : /^\d{1,9}$/;
  if (!form.test(text) || seconds <= 0 || seconds * 1000 > maxDurationMs) {
    const what = fraction ? 'a number above 0' : 'a whole number from 1';
    throw expected('seconds', `${what}${fraction ? ', at most' : ' to'} ${maxDurationMs / 1000}`, text);
  }
  return seconds * 1000;
}

/** `?debug=`: 0 for protobuf, 1 and 2 for text. @throws BadRequestError */
export function debugParam(query: URLSearchParams): number {
  const text = query.get('debug');
  if (text === null) return 0;
  if (!/^[0-2]$/.test(text)) throw expected('debug', '0, 1 or 2', text);
  return Number(text);
}

/** `?gc=`: collects garbage first where it is above 0. @throws BadRequestError */
export function gcParam(query: URLSearchParams): boolean {
  const text = query.get('gc');
  if (text === null) return false;
  if (!/^[01]$/.test(text)) throw expected('gc', '0 or 1', text);
  return text === '1';
}

/** `?type=`. @throws BadRequestError */
export function kindParam(query: URLSearchParams): CaptureKind {
  const text = query.get('type');
  const kind = captureKinds.find(known => known === text);
  if (kind === undefined) throw expected('type', `one of ${captureKinds.join(', ')}`, text);
  return kind;
}

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * `?duration=` in Go's way of writing: `30s`, `1m30s`, `500ms`, `0`. `undefined` where it isn't given.
 *
 * @param zero whether 0 is a duration for what is asked
 * @throws BadRequestError
 */
export function durationParam(query: URLSearchParams, zero: boolean): number | undefined {
  const text = query.get('duration');
  if (text === null) return undefined;
  const ms = parseDuration(text);
  const least = zero ? '0' : 'above 0';
  if (ms === undefined || ms > maxDurationMs || (ms <= 0 && !zero)) {
    throw expected(
      'duration',
      `a duration such as 30s, 1m30s or 500ms, ${least} and at most ${maxDurationMs / 60_000}m`,
      text,
    );
  }
  return ms;
}

/** @see https://pkg.go.dev/time#ParseDuration */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text.length > 64 || !/^(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(number) * unitMs[unit as keyof typeof unitMs];
  }
  return total;
}
