import type { LogPosition } from '../entry';
import { CacheEntryUnreadableError } from '../errors';
import { versionBytes } from '../versions';

/**
 * How entries are written in Redis:
 *
 *     0      0xCA
 *     1      format: bits 0 to 2 the serialiser, 3 and 4 the compression, 5 known absent, 6 deleted
 *     2-9    version
 *     10-17  until when it is fresh, by the writer's wall clock, in milliseconds since 1970 (float64)
 *     18-21  how long it took to load, in milliseconds (uint32)
 *     22-33  position in the log of invalidations (float64, uint32)
 *     34-35  length of the tags (uint16), which follow as UTF-8 with a zero byte between them, and then the value
 */
const magic = 0xca;
const headBytes = 36;
const absentBit = 1 << 5;
const deletedBit = 1 << 6;

/** Where the version is, as a range of bytes that Redis's GETRANGE takes. */
export const versionRange = { first: 2, last: 2 + versionBytes - 1 } as const;

/** Most bytes of all tags of an entry together. */
export const mostTagBytes = 0xffff;

/** An entry as it is written, its value in bytes. */
export interface Envelope {
  readonly kind: 'value' | 'absent' | 'deleted';
  readonly version: string;
  readonly freshUntilWall: number;
  readonly loadMs: number;
  readonly position: LogPosition;
  readonly tags: readonly string[] | undefined;
  readonly serializer: number;
  readonly compression: number;
  readonly payload: Uint8Array;
}

export function writeEnvelope(envelope: Envelope): Buffer {
  const { kind, version, freshUntilWall, loadMs, position, tags, serializer, compression, payload } =
    envelope;
  const tagText = tags === undefined ? '' : tags.join('\0');
  const tagLength = tagText === '' ? 0 : Buffer.byteLength(tagText);
  const bytes = Buffer.allocUnsafe(headBytes + tagLength + payload.length);
  bytes[0] = magic;
  bytes[1] =
    serializer |
    (compression << 3) |
    (kind === 'absent' ? absentBit : 0) |
    (kind === 'deleted' ? deletedBit : 0);
  bytes.write(version, versionRange.first, versionBytes, 'latin1');
  bytes.writeDoubleBE(freshUntilWall, 10);
  bytes.writeUInt32BE(Math.min(0xffff_ffff, Math.round(loadMs)), 18);
  bytes.writeDoubleBE(position.ms, 22);
  bytes.writeUInt32BE(position.seq, 30);
  bytes.writeUInt16BE(tagLength, 34);
  if (tagLength > 0) bytes.write(tagText, headBytes, tagLength, 'utf8');
  bytes.set(payload, headBytes + tagLength);
  return bytes;
}

/** @throws {@link CacheEntryUnreadableError} */
export function readEnvelope(bytes: Buffer): Envelope {
  const tagLength = bytes.length < headBytes ? 0 : bytes.readUInt16BE(34);
  if (bytes[0] !== magic || bytes.length < headBytes + tagLength) {
    throw new CacheEntryUnreadableError(`${bytes.length} bytes of something else`);
  }
  const format = bytes[1]!;
  return {
    kind: format & deletedBit ? 'deleted' : format & absentBit ? 'absent' : 'value',
    version: versionIn(bytes),
    freshUntilWall: bytes.readDoubleBE(10),
    loadMs: bytes.readUInt32BE(18),
    position: { ms: bytes.readDoubleBE(22), seq: bytes.readUInt32BE(30) },
    tags: tagLength === 0 ? undefined : bytes.toString('utf8', headBytes, headBytes + tagLength).split('\0'),
    serializer: format & 0b111,
    compression: (format >> 3) & 0b11,
    payload: bytes.subarray(headBytes + tagLength),
  };
}

/** The version as Redis's GETRANGE gives it, whatever the bytes are. */
export function versionIn(bytes: Buffer): string {
  return bytes.toString('latin1', versionRange.first, versionRange.last + 1);
}
