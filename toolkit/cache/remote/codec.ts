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
 * The value, or a promise of it where it has to be decompressed. JSON is read whatever the serialiser, so that a cache may change from it to another.
 *
 * @throws {@link CacheEntryUnreadableError}
 */
export function decode(codec: Codec, { payload, serializer, compression }: Encoded): unknown {
  const reader = [codec.serializer, jsonSerializer].find(({ id }) => id === serializer);
  if (reader === undefined) throw new CacheEntryUnreadableError(`one of serialiser ${serializer}`);
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const unreadable = (cause: unknown): never => {
    throw new CacheEntryUnreadableError('one that its serialiser cannot read', { cause });
  };
  if (compression !== compressionIds.none) {
    return decompress(bytes, compression)
      .then(bytes => reader.decode(bytes))
      .catch(unreadable);
  }
  try {
    return reader.decode(bytes);
  } catch (cause) {
    return unreadable(cause);
  }
}
