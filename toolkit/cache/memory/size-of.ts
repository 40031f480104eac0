/** Nested deeper than this is not looked at. */
const deepest = 20;
const word = 8;

/**
 * About how many bytes of heap a value takes: two per character, eight per number and reference, buffers by their
 * length. Strings that V8 shares or keeps in one byte per character take less.
 */
export function sizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return 2 * word + 2 * value.length;
  if (typeof value !== 'object' || value === null) return word;
  if (ArrayBuffer.isView(value)) return 4 * word + value.byteLength;
  if (value instanceof ArrayBuffer) return 4 * word + value.byteLength;
  if (depth === deepest) return 2 * word;
  let size = 3 * word;
  if (Array.isArray(value) || value instanceof Set) {
    for (const one of value) size += word + sizeOf(one, depth + 1);
  } else if (value instanceof Map) {
    for (const [key, one] of value) size += 2 * word + sizeOf(key, depth + 1) + sizeOf(one, depth + 1);
  } else {
    // The names of properties are shared by all objects of a shape.
    for (const one of Object.values(value)) size += word + sizeOf(one, depth + 1);
  }
  return size;
}
