import { Channel } from 'async-channel';
import fastq from 'fastq';
import type { Work } from '../micro';
import { backlog, handle, parties } from './channel-works';
import { contended } from './works';

type Names = 'fastq' | 'pQueue' | 'asyncChannel';

/** The work of bench/toolkit/channel-works.ts by other libraries, each in the form that is its fastest. */
export async function channelPeers(): Promise<
  Record<'pipe' | 'crowd', Record<Names, Work>> & { meet: Work; sync: Work }
> {
  const { default: PQueue } = await import('p-queue');
  const queued: Work = async n => {
    const queue = fastq.promise(handle, 1);
    for (let i = 0; i < n; i++) {
      const done = queue.push(i);
      // What waits is bounded here as it is in a channel.
      if (i % backlog === backlog - 1) await done;
    }
    await queue.drained();
  };
  const added: Work = async n => {
    const queue = new PQueue({ concurrency: 1 });
    for (let i = 0; i < n; i++) {
      const done = queue.add(() => handle(i));
      if (i % backlog === backlog - 1) await done;
    }
    await queue.onIdle();
  };
  const queuedByMany: Work = n => {
    const queue = fastq.promise(handle, parties);
    return contended(async each => {
      for (let i = 0; i < each; i++) await queue.push(i);
    }, parties)(n);
  };
  const addedByMany: Work = n => {
    const queue = new PQueue({ concurrency: parties });
    return contended(async each => {
      for (let i = 0; i < each; i++) await queue.add(() => handle(i));
    }, parties)(n);
  };
  const channelled =
    (capacity: number, callers: number): Work =>
    async n => {
      const channel = new Channel<number>(capacity);
      const each = Math.ceil(n / callers);
      const receiving = Array.from({ length: callers }, async () => {
        for (let i = 0; i < each; i++) await handle(await channel.get());
      });
      const sending = Array.from({ length: callers }, async () => {
        for (let i = 0; i < each; i++) await channel.push(i);
      });
      await Promise.all([...sending, ...receiving]);
    };
  let sum = 0;
  const callbacks = fastq((item: number, done: (error: null) => void) => {
    sum += item;
    done(null);
  }, 1);
  const noop = (): void => {};
  return {
    pipe: { fastq: queued, pQueue: added, asyncChannel: channelled(backlog, 1) },
    crowd: { fastq: queuedByMany, pQueue: addedByMany, asyncChannel: channelled(backlog, parties) },
    meet: channelled(0, 1),
    sync: n => {
      for (let i = 0; i < n; i++) callbacks.push(i, noop);
      return sum;
    },
  };
}
