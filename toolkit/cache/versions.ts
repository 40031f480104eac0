import { randomBytes } from 'node:crypto';

/** Length of a version, in bytes. */
export const versionBytes = 8;

/**
 * Makes versions: each is given out once, here or in any other process. They are compared for being the same and have
 * no order, so that no clock that jumps and no Redis that forgets can make an old one look new.
 */
export function createVersions(): () => string {
  const bytes = randomBytes(versionBytes);
  let count = 0;
  return () => {
    if (++count > 0xffff_ffff) {
      randomBytes(4).copy(bytes);
      count = 1;
    }
    bytes.writeUInt32BE(count, 4);
    return bytes.toString('latin1');
  };
}
