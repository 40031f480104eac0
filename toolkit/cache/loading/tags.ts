import { mostTagBytes } from '../remote/envelope';

/**
 * The tags of an entry; undefined where it has none.
 *
 * @throws TypeError when they cannot be written
 */
export function checkTags(tags: readonly string[] | undefined): readonly string[] | undefined {
  if (tags === undefined || tags.length === 0) return undefined;
  for (const tag of tags) {
    if (typeof tag !== 'string' || tag === '' || tag.includes('\0')) {
      throw new TypeError(
        `Expected a tag to be a string of at least one character and without zero bytes, got ${JSON.stringify(tag)}`,
      );
    }
  }
  const bytes = Buffer.byteLength(tags.join('\0'));
  if (bytes > mostTagBytes)
    throw new TypeError(`Expected tags of at most ${mostTagBytes} bytes, got ${bytes}`);
  return tags;
}
