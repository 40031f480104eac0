import { CachePackageMissingError } from '../errors';

/** Turns values into bytes and back. */
export interface Serializer {
  /** Written into each entry, so that one in another form is told and not misread: 1 json, 2 msgpack, 3 protobuf. */
  readonly id: number;
  encode(value: unknown): Uint8Array;
  decode(bytes: Buffer): unknown;
}

/** A message type of protobufjs, or what does the same. */
export interface ProtobufType {
  encode(message: never): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  fromObject?(object: { [name: string]: unknown }): object;
  toObject?(message: never, options?: object): { [name: string]: unknown };
}

/** As `JSON.stringify` and `JSON.parse` have it. */
export const jsonSerializer: Serializer = {
  id: 1,
  encode(value) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`Expected a value that JSON has, got a ${typeof value}`);
    return Buffer.from(text);
  },
  decode: bytes => JSON.parse(bytes.toString()) as unknown,
};

/**
 * MessagePack, by the package msgpackr: shorter than JSON, and knows dates, bytes and sets. A map comes back as an object.
 *
 * @throws {@link CachePackageMissingError}
 */
export function msgpackSerializer(): Serializer {
  const { Packr } = optional('msgpackr', () => require('msgpackr') as typeof import('msgpackr'));
  // Without records, which only a decoder that saw the encoder's earlier output understands.
  const packr = new Packr({ useRecords: false, moreTypes: true });
  return { id: 2, encode: value => packr.pack(value), decode: bytes => packr.unpack(bytes) as unknown };
}

/**
 * Protocol buffers by a message type of protobufjs. Values are plain objects of the message's shape: enums as names,
 * and 64-bit integers as strings, which lose no digits.
 */
export function protobufSerializer(type: ProtobufType): Serializer {
  return {
    id: 3,
    encode: value =>
      type.encode((type.fromObject?.(value as { [name: string]: unknown }) ?? value) as never).finish(),
    decode(bytes) {
      const message = type.decode(bytes);
      return type.toObject?.(message as never, { longs: String, enums: String, bytes: Buffer }) ?? message;
    },
  };
}

function optional<T>(packageName: string, load: () => T): T {
  try {
    return load();
  } catch (cause) {
    throw new CachePackageMissingError(packageName, { cause });
  }
}
