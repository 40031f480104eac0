const retryInfoType = 'type.googleapis.com/google.rpc.RetryInfo';

/**
 * The delay that a `google.rpc.Status` asks for in its RetryInfo, out of the header `grpc-status-details-bin`;
 * `undefined` where it has none or is no such message.
 *
 *     Status { details: Any = 3 }  Any { type_url = 1, value = 2 }
 *     RetryInfo { retry_delay: Duration = 1 }  Duration { seconds = 1, nanos = 2 }
 */
export function retryDelayMs(status: Uint8Array): number | undefined {
  try {
    for (const detail of fields(status).filter(({ number }) => number === 3)) {
      const any = fields(bytesOf(detail));
      const type = any.find(({ number }) => number === 1);
      const value = any.find(({ number }) => number === 2);
      if (type === undefined || Buffer.from(bytesOf(type)).toString() !== retryInfoType) continue;
      const delay =
        value === undefined ? undefined : fields(bytesOf(value)).find(({ number }) => number === 1);
      if (delay === undefined) return 0;
      const duration = fields(bytesOf(delay));
      const numberOf = (wanted: number): number =>
        Number(duration.find(f => f.number === wanted)?.value ?? 0);
      return numberOf(1) * 1000 + numberOf(2) / 1e6;
    }
    return undefined;
  } catch {
    // Somebody else's encoding; the wait is then our own.
    return undefined;
  }
}

interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

function bytesOf({ value }: Field): Uint8Array {
  if (typeof value === 'bigint') throw new RangeError('Expected a message, got a number');
  return value;
}

/** The fields of a protobuf message: varints, and what has a length; fixed ones are passed over. */
function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('Expected a whole varint, got the end of the message');
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const wire = tag & 7;
    if (wire === 0) found.push({ number, value: varint() });
    else if (wire === 2) {
      const length = Number(varint());
      if (at + length > message.length)
        throw new RangeError('Expected a whole field, got the end of the message');
      found.push({ number, value: message.subarray(at, at + length) });
      at += length;
    } else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else throw new RangeError(`Expected a wire type of protobuf 3, got ${wire}`);
  }
  return found;
}
