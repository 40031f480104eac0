import { CacheEntryUnreadableError } from '../errors';
import { type CompressionAlgorithm, compress, compressionIds, decompress } from './compression';
import type { Envelope } from './envelope';
import { jsonSerializer, type Serializer } from './serializers';

/** How values are written. */
export interface Codec {
  readonly serializer: Serializer;
  readonly compression: { readonly algorithm: CompressionAlgorithm; readonly minBytes: number } | undefined;
}

/** The value's part of an envelope. */
export type Encoded = Pick<Envelope, 'payload' | 'serializer' | 'compression'>;

export const noPayload: Encoded = { payload: Buffer.alloc(0), serializer: 0, compression: 0 };

export async function encode({ serializer, compression }: Codec, value: unknown): Promise<Encoded> {
  const payload = serializer.encode(value);
  const plain = { payload, serializer: serializer.id, compression: compressionIds.none };
  if (compression === undefined || payload.length < compression.minBytes) return plain;
  const packed = await compress(payload, compression.algorithm);
  if (packed.length >= payload.length) return plain;
  return { payload: packed, serializer: serializer.id, compression: compressionIds[compression.algorithm] };
}

/**
 * JSON is read whatever the serialiser, so that a cache may change from it to another.
 *
 * @throws {@link CacheEntryUnreadableError}
 */
export async function decode(codec: Codec, { payload, serializer, compression }: Encoded): Promise<unknown> {
  const reader = [codec.serializer, jsonSerializer].find(({ id }) => id === serializer);
  if (reader === undefined) throw new CacheEntryUnreadableError(`one of serialiser ${serializer}`);
  try {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    return reader.decode(compression === compressionIds.none ? bytes : await decompress(bytes, compression));
  } catch (cause) {
    throw new CacheEntryUnreadableError('one that its serialiser cannot read', { cause });
  }
}
