import { channel } from 'node:diagnostics_channel';
import { HoldWatch, type Trace, traceAbove } from '../hold-watch';
import { positiveInteger } from '../options';
import type { BookOptions, ConnectionLeak } from './options';

/** A leak that was found, and when, in milliseconds since 1970. */
export interface FoundLeak {
  readonly heldMs: number;
  readonly stack: string;
  readonly foundMs: number;
}

/** Subscribers get a {@link ConnectionLeak} for each connection held too long. */
const leakChannel = channel('otel-vitals:db.leak');
const mostLeaks = 20;
/** A query gives its connection back by itself, so fewer are watched. */
const queriesPerTransaction = 100;

/** Connections held too long: the last of them, and how many there were. */
export class Leaks {
  readonly watch: HoldWatch | undefined;
  readonly #sampleEvery: number;
  readonly #afterMs: number;
  #countdown = 1;
  readonly found: FoundLeak[] = [];
  count = 0;

  constructor({ name, leakDetection, clock }: BookOptions) {
    this.#sampleEvery = positiveInteger('leakDetection.sampleEvery', leakDetection?.sampleEvery ?? 10);
    this.#afterMs = leakDetection?.afterMs ?? 30_000;
    if (leakDetection === undefined) return;
    this.watch = new HoldWatch(
      { afterMs: this.#afterMs, sampleEvery: this.#sampleEvery * queriesPerTransaction },
      held => {
        const leak: ConnectionLeak = { database: name, heldMs: held.heldMs, stack: ownFrames(held.stack) };
        this.count++;
        this.found.push({ heldMs: leak.heldMs, stack: leak.stack, foundMs: Date.now() });
        if (this.found.length > mostLeaks) this.found.shift();
        leakChannel.publish(leak);
        leakDetection.onLeak?.(leak);
      },
      clock,
    );
  }

  /**
   * The stack of a call that begins a transaction, if this one is to be watched: every n-th, and each while a connection
   * is held for too long already.
   */
  sampleTransaction(
    above: (...args: never[]) => unknown,
    ledger: { heldFor(ms: number): number },
  ): Trace | undefined {
    if (this.watch === undefined) return undefined;
    if (--this.#countdown > 0 && ledger.heldFor(this.#afterMs) === 0) return undefined;
    this.#countdown = this.#sampleEvery;
    return traceAbove(above);
  }
}

/** Frames of knex say nothing about who asked. */
function ownFrames(stack: string): string {
  const frames = stack.split('\n');
  return frames.filter(frame => !/[\\/]node_modules[\\/]knex[\\/]/.test(frame)).join('\n');
}
