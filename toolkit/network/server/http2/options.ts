import type { TlsOptions } from 'node:tls';
import {
  delayMs,
  nonEmptyString,
  nonNegativeInteger,
  positiveInteger,
  positiveIntegerOrInfinity,
} from '../../../options';

/** What a session may ask for within `windowMs` before it is ended. */
export interface FloodLimits {
  /** @default 10000 */
  readonly windowMs?: number;
  /**
   * Streams that the peer reset, or that ended by a breach of the protocol: rapid reset (CVE-2023-44487) and the ways
   * to have the server reset them itself (CVE-2025-8671).
   *
   * @default 200
   */
  readonly resets?: number;
  /** SETTINGS frames (CVE-2019-9515). @default 20 */
  readonly settings?: number;
  /** PING frames (CVE-2019-9512). @default 100 */
  readonly pings?: number;
}

/** Options of {@link createHttp2Server}. */
export interface Http2ServerOptions {
  /** Names it in statistics, metrics and findings. */
  readonly name: string;
  /** Key, certificate and what else `node:tls` takes. Without it the server speaks HTTP/2 in clear text (h2c), to
   * clients that know so beforehand, as proxies in front of it do. */
  readonly tls?: TlsOptions;
  /** Whether clients that have only HTTP/1.1 are served too, over TLS. @default true */
  readonly allowHttp1?: boolean;
  /** Streams of a session at a time. @default 100 */
  readonly maxConcurrentStreams?: number;
  /** Streams of all sessions at a time; more are refused, which clients may safely try again. @default Infinity */
  readonly maxStreams?: number;
  /** Connections at a time; more are not accepted. @default 10000 */
  readonly maxSessions?: number;
  /** Largest frame that peers may send, in bytes: 16384 to 16777215. @default 16384 */
  readonly maxFrameBytes?: number;
  /** Largest list of headers, in bytes, as HTTP/2 counts it: 32 for each besides its text. @default 16384 */
  readonly maxHeaderListBytes?: number;
  /** Header fields of a request. @default 128 */
  readonly maxHeaderFields?: number;
  /** Memory of a session for what is under way, in MB. @default 10 */
  readonly maxSessionMemoryMb?: number;
  /** How long a session without streams may be quiet. @default 60000 */
  readonly idleTimeoutMs?: number;
  /** Invalid frames, and empty DATA frames (CVE-2019-9518), before a session is ended. @default 100 */
  readonly maxInvalidFrames?: number;
  /** Streams past `maxConcurrentStreams` before a session is ended. @default 100 */
  readonly maxRejectedStreams?: number;
  readonly flood?: FloodLimits;
}

/** Options with nothing left open. */
export type SettledHttp2Options = Required<Omit<Http2ServerOptions, 'tls' | 'flood'>> & {
  readonly tls: TlsOptions | undefined;
  readonly flood: Required<FloodLimits>;
};

const largestFrame = 2 ** 24 - 1;

/** @throws TypeError when an option is not as documented */
export function settleHttp2Options(given: Http2ServerOptions): SettledHttp2Options {
  const { flood = {} } = given;
  const maxFrameBytes = positiveInteger('maxFrameBytes', given.maxFrameBytes ?? 16_384);
  if (maxFrameBytes < 16_384 || maxFrameBytes > largestFrame) {
    throw new TypeError(`Expected maxFrameBytes to be from 16384 to ${largestFrame}, got ${maxFrameBytes}`);
  }
  if (given.tls === undefined && given.allowHttp1 === true) {
    throw new TypeError('Expected tls with allowHttp1: the two are told apart in the handshake of TLS');
  }
  return {
    name: nonEmptyString('name', given.name),
    tls: given.tls,
    allowHttp1: given.allowHttp1 ?? given.tls !== undefined,
    maxConcurrentStreams: positiveInteger('maxConcurrentStreams', given.maxConcurrentStreams ?? 100),
    maxStreams: positiveIntegerOrInfinity('maxStreams', given.maxStreams ?? Infinity),
    maxSessions: positiveInteger('maxSessions', given.maxSessions ?? 10_000),
    maxFrameBytes,
    maxHeaderListBytes: positiveInteger('maxHeaderListBytes', given.maxHeaderListBytes ?? 16_384),
    maxHeaderFields: positiveInteger('maxHeaderFields', given.maxHeaderFields ?? 128),
    maxSessionMemoryMb: positiveInteger('maxSessionMemoryMb', given.maxSessionMemoryMb ?? 10),
    idleTimeoutMs: delayMs('idleTimeoutMs', given.idleTimeoutMs ?? 60_000),
    maxInvalidFrames: nonNegativeInteger('maxInvalidFrames', given.maxInvalidFrames ?? 100),
    maxRejectedStreams: nonNegativeInteger('maxRejectedStreams', given.maxRejectedStreams ?? 100),
    flood: {
      windowMs: delayMs('flood.windowMs', flood.windowMs ?? 10_000),
      resets: positiveIntegerOrInfinity('flood.resets', flood.resets ?? 200),
      settings: positiveIntegerOrInfinity('flood.settings', flood.settings ?? 20),
      pings: positiveIntegerOrInfinity('flood.pings', flood.pings ?? 100),
    },
  };
}
