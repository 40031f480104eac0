import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { SettledHttp2Options } from './options';
import type { FloodKind, Http2Counters } from './stats';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

/** How long a peer has to close an idle session by itself. */
const lastMs = 1000;

/** Counts what comes in windows of a length. */
class Windowed {
  readonly #windowMs: number;
  readonly #most: number;
  readonly #now: () => number;
  #began = -Infinity;
  #count = 0;

  constructor(windowMs: number, most: number, now: () => number) {
    this.#windowMs = windowMs;
    this.#most = most;
    this.#now = now;
  }

  /** @returns whether it was one too many */
  exceeded(): boolean {
    const now = this.#now();
    if (now - this.#began >= this.#windowMs) {
      this.#began = now;
      this.#count = 0;
    }
    return ++this.#count > this.#most;
  }
}

/** Keeps the books of a session, and ends it when it is idle or floods. */
export class SessionGuard {
  readonly #session: ServerHttp2Session;
  readonly #counters: Http2Counters;
  readonly #resets: Windowed;
  #open = 0;
  /** It is being ended, and what it does from here on is of no interest. */
  #over = false;

  constructor(
    session: ServerHttp2Session,
    { flood, idleTimeoutMs }: SettledHttp2Options,
    counters: Http2Counters,
    now: () => number,
  ) {
    this.#session = session;
    this.#counters = counters;
    this.#resets = new Windowed(flood.windowMs, flood.resets, now);
    const settings = new Windowed(flood.windowMs, flood.settings, now);
    const pings = new Windowed(flood.windowMs, flood.pings, now);
    counters.sessions.opened++;
    session.on('remoteSettings', () => {
      if (settings.exceeded()) this.#flooded('settings');
    });
    session.on('ping', () => {
      if (pings.exceeded()) this.#flooded('pings');
    });
    session.on('error', (error: NodeJS.ErrnoException) => {
      // Ended by us, it may complain of what we cut off.
      if (this.#over) return;
      this.#over = true;
      if (error.code === 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES') counters.flooded.invalid_frames++;
      else counters.sessions.failed++;
    });
    session.once('close', () => {
      this.#over = true;
      counters.sessions.closed++;
    });
    session.setTimeout(idleTimeoutMs);
    session.on('timeout', () => this.#idle());
  }

  /** @returns whether the stream is to be served */
  onStream(stream: ServerHttp2Stream, mayOpen: boolean): boolean {
    const { streams, resets } = this.#counters;
    const served = mayOpen && !this.#over;
    streams.opened++;
    this.#open++;
    // Node.js does not say who reset a stream: it was us where somebody here closed it, or destroyed it with an error.
    let ours = false;
    const { close } = stream;
    stream.close = (...args) => {
      ours = true;
      return close.apply(stream, args);
    };
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_HTTP2_STREAM_ERROR') ours = true;
    });
    stream.once('close', () => {
      this.#open--;
      streams.closed++;
      if (stream.rstCode === NGHTTP2_NO_ERROR) return;
      if (ours || (this.#over && this.#session.destroyed)) {
        resets.sent++;
        return;
      }
      resets.received++;
      if (this.#resets.exceeded()) this.#flooded('resets');
    });
    if (!served) {
      streams.refused++;
      stream.close(NGHTTP2_REFUSED_STREAM);
    }
    return served;
  }

  /** Whoever floods is told to calm down and sent away at once, with what is under way. */
  #flooded(kind: FloodKind): void {
    if (this.#over || this.#session.destroyed) return;
    this.#over = true;
    this.#counters.flooded[kind]++;
    this.#session.goaway(NGHTTP2_ENHANCE_YOUR_CALM);
    // Not in the midst of what Node.js reads, so that the frame above leaves first.
    setImmediate(() => this.#session.destroy());
  }

  #idle(): void {
    // Who has a stream open waits for an answer, however long it takes.
    if (this.#open > 0 || this.#over) return;
    this.#over = true;
    this.#counters.sessions.idled++;
    this.#session.close();
    setTimeout(() => this.#session.destroy(), lastMs).unref();
  }
}
