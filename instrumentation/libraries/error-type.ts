/** Different values that `error.type` may have over the life of the process; what comes later is `_OTHER`. */
const maxTypes = 100;
const seen = new Set<string>();

/**
 * What `error.type` says of an error of a database: its code, else the first word of a Redis reply, else its class;
 * `_OTHER` where that is nothing but `Error`.
 */
export function errorType(error: unknown): string {
  const type = nameOf(error);
  if (seen.has(type)) return type;
  if (seen.size >= maxTypes) return '_OTHER';
  seen.add(type);
  return type;
}

/** The classes of errors that Redis answered, in node-redis 4, 5 and later, and ioredis. */
const replies = new Set(['ErrorReply', 'SimpleError', 'BlobError', 'ReplyError']);
/** The first word of such an error, by the protocol's custom: `WRONGTYPE Operation against ...`. */
const redisReply = /^([A-Z][A-Z_]{1,30}) /;
/** What node-postgres and ioredis say when time runs out, in errors that have no code. */
const timeouts = new Set([
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
  'Command timed out',
]);
const tame = /^[\w.-]{1,64}$/;

function nameOf(error: unknown): string {
  if (error === null || typeof error !== 'object') return '_OTHER';
  const { code, name, message } = error as Error & { code?: unknown };
  if ((typeof code === 'string' || typeof code === 'number') && tame.test(String(code))) return String(code);
  if (timeouts.has(message)) return 'timeout';
  const className: unknown = (error as object).constructor?.name;
  if (replies.has(className as string) && typeof message === 'string') {
    const reply = redisReply.exec(message);
    if (reply !== null) return reply[1]!;
  }
  for (const candidate of [name, className]) {
    if (typeof candidate === 'string' && candidate !== 'Error' && tame.test(candidate)) return candidate;
  }
  return '_OTHER';
}
