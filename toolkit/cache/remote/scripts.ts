import { createHash } from 'node:crypto';
import type { Commands, Reply } from './commands';
import { versionRange } from './envelope';

/** A script of Redis, which runs while nothing else does. */
export interface Script {
  readonly text: string;
  readonly digest: string;
}

function script(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}

const version = `redis.call('GETRANGE', KEYS[1], ${versionRange.first}, ${versionRange.last})`;

/** Writes ARGV[2] for ARGV[3] milliseconds where the key still has the version ARGV[1]; that of no entry is empty. */
export const setIfSame = script(
  `if ${version} ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1`,
);

/** Writes ARGV[2] for ARGV[3] milliseconds where the key has another version than ARGV[1]. */
export const setIfOther = script(
  `if ${version} == ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1`,
);

/** Deletes the key where it has the value ARGV[1]. */
export const deleteIfSame = script(
  `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])`,
);

/** Has the key live for ARGV[2] milliseconds from now where it has the value ARGV[1]. */
export const prolongIfSame = script(
  `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
);

/** Runs a script by its digest, and with its text where this Redis has not seen it. */
export async function runScript(
  { send }: Commands,
  { text, digest }: Script,
  key: string,
  args: readonly (string | Buffer)[],
): Promise<Reply> {
  try {
    return await send(key, false, ['EVALSHA', digest, '1', key, ...args]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return send(key, false, ['EVAL', text, '1', key, ...args]);
  }
}
