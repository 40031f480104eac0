// Settings of every scenario, from the environment: `k6 run -e RATE=50 ...`. A bad one ends the run before it begins.

/** Where the shop is, without a slash at the end. */
export const baseUrl = url('BASE_URL', 'http://127.0.0.1:3000');
/** Visits that begin each second at average load; the other scenarios are multiples of it. */
export const rate = integer('RATE', 10, 1, 10000);
/** Folder for the summary as JSON; it must exist. Without it there is the text on the terminal alone. */
export const summaryDir = __ENV['SUMMARY_DIR'] ?? '';

/** How long the main part of a scenario lasts, in seconds: DURATION, such as 90s, 2m or 1h30m. */
export function duration(preset: number): number {
  return seconds('DURATION', preset);
}

/** The setting `name` as seconds. @throws Error when it is no duration of a second or more */
export function seconds(name: string, preset: number): number {
  const text = __ENV[name];
  if (text === undefined || text === '') return preset;
  const [whole, hours = '0', minutes = '0', rest = '0'] =
    /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  if (whole === undefined || value < 1) throw expected(name, 'a duration such as 90s, 2m or 1h30m', text);
  return value;
}

/** The setting `name` as a whole number. @throws Error when it is none, or out of its bounds */
export function integer(name: string, preset: number, min: number, max: number): number {
  const text = __ENV[name];
  if (text === undefined || text === '') return preset;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw expected(name, `a whole number from ${min} to ${max}`, text);
  }
  return value;
}

function url(name: string, preset: string): string {
  const text = __ENV[name] || preset;
  if (!/^https?:\/\/[^/]/.test(text))
    throw expected(name, 'a URL that starts with http:// or https://', text);
  return text.replace(/\/+$/, '');
}

function expected(name: string, what: string, got: string): Error {
  return new Error(`${name}: expected ${what}, got "${got}"`);
}
