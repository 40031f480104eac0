import assert from 'node:assert/strict';
import type { Channel, ChannelMessage, ChannelStats } from '../../toolkit/channel';

/**
 * The laws that a channel's statistics obey at any moment.
 *
 * @param timeEvery the channel's option
 */
export function assertChannelLaws<T extends ChannelMessage>(
  channel: Channel<T>,
  timeEvery = 10,
): ChannelStats {
  const stats = channel.stats();
  const shown = JSON.stringify(stats);
  assert.equal(stats.sent, stats.received + stats.dropped + channel.length, shown);
  assert.equal(stats.length, channel.length, shown);
  assert.ok(stats.length >= 0 && stats.length <= stats.capacity, shown);
  for (const side of [stats.send, stats.receive]) {
    const ended = side.blocked - side.waiting;
    assert.ok(side.waitTime.count <= Math.min(ended, Math.ceil(side.blocked / timeEvery)), shown);
    if (timeEvery === 1) assert.equal(side.waitTime.count, ended, shown);
    else if (side.waiting === 0) assert.equal(side.waitTime.count, Math.ceil(ended / timeEvery), shown);
    assert.ok(side.waiting >= 0, shown);
    assert.ok(side.blocked >= side.timeouts + side.aborted, shown);
  }
  assert.ok(
    stats.send.waiting === 0 || stats.length === stats.capacity,
    `a sender waits for nothing: ${shown}`,
  );
  assert.ok(stats.receive.waiting === 0 || stats.length === 0, `a receiver waits for nothing: ${shown}`);
  return stats;
}

/** Lets everything that is ready happen. */
export async function turns(n = 2): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise(resolve => setImmediate(resolve));
}

/** A signal that counts its listeners. */
export function countedSignal(): { signal: AbortSignal; listeners(): number; abort(reason: unknown): void } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  return { signal, listeners: () => listeners, abort: reason => controller.abort(reason) };
}
