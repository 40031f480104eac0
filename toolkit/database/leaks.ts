import { channel } from 'node:diagnostics_channel';
import { HoldWatch } from '../hold-watch';
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

/** Connections held too long: the last of them, and how many there were. */
export class Leaks {
  readonly watch: HoldWatch | undefined;
  readonly found: FoundLeak[] = [];
  count = 0;

  constructor({ name, leakDetection, clock }: BookOptions) {
    if (leakDetection === undefined) return;
    this.watch = new HoldWatch(
      leakDetection,
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
}

/** Frames of knex say nothing about who asked. */
function ownFrames(stack: string): string {
  const frames = stack.split('\n');
  return frames.filter(frame => !/[\\/]node_modules[\\/]knex[\\/]/.test(frame)).join('\n');
}
