import type { Work } from '../micro';
import { built } from './built';
import { contended } from './works';

const { Channel } = built.channel;

/** Most messages on their way. */
export const backlog = 100;
/** Senders and receivers where there are many. */
export const parties = 100;

const total = { handled: 0 };
/** What is done with each message. */
export async function handle(message: number): Promise<void> {
  total.handled += message;
}

/** One sender and one receiver, each of whom does at once what needs no waiting. */
const pipe: Work = async n => {
  // Half of them wait in the channel while the receiver has the other.
  const channel = new Channel<number>({ name: 'bench', capacity: backlog / 2 });
  const receiving = (async () => {
    for (let left = n; left > 0; ) {
      const messages = await channel.receiveMany();
      left -= messages.length;
      for (const message of messages) await handle(message);
    }
  })();
  for (let i = 0; i < n; i++) if (!channel.trySend(i)) await channel.send(i);
  await receiving;
};

/** Many senders, who wait for each message, and one receiver, who handles all at once that came. */
const crowd: Work = async n => {
  const channel = new Channel<number>({ name: 'bench', capacity: backlog });
  const each = Math.ceil(n / parties);
  const receiving = (async () => {
    for (let left = each * parties; left > 0; ) {
      const messages = await channel.receiveMany();
      left -= messages.length;
      await Promise.all(messages.map(handle));
    }
  })();
  await contended(async count => {
    for (let i = 0; i < count; i++) await channel.send(i);
  }, parties)(n);
  await receiving;
};

/** One sender and one receiver, who meet. */
const meet: Work = async n => {
  const channel = new Channel<number>({ name: 'bench' });
  const receiving = (async () => {
    for (let i = 0; i < n; i++) await handle(await channel.receive());
  })();
  for (let i = 0; i < n; i++) await channel.send(i);
  await receiving;
};

/** What channels do in the benchmark; the peers do the same in bench/toolkit/channel-peers.ts. */
export function channelWorks(): Record<'pipe' | 'crowd' | 'meet' | 'sync', Work> {
  const kept = new Channel<number>({ name: 'bench', capacity: backlog });
  return {
    pipe,
    crowd,
    meet,
    sync: n => {
      for (let i = 0; i < n; i++) {
        kept.trySend(i);
        total.handled += kept.tryReceive()!;
      }
    },
  };
}
