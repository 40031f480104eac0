import { measure } from './micro';
import { channelPeers } from './toolkit/channel-peers';
import { backlog, channelWorks, parties } from './toolkit/channel-works';
import { preloadedRows } from './toolkit/preloaded';
import type { BenchResult } from './types';

const names = {
  pipe: `Channel, one sender and receiver, ${backlog} between`,
  crowd: `Channel, ${parties} senders and receivers`,
  meet: 'Channel, unbuffered',
  sync: 'Channel, trySend and tryReceive',
};

/** Messages from sender to receiver, who handles each in an async function, beside p-queue, fastq and async-channel. */
export async function run(): Promise<BenchResult[]> {
  const works = channelWorks();
  const peers = await channelPeers();
  const rows: BenchResult[] = [];
  for (const kind of ['pipe', 'crowd'] as const) {
    const { fastq, pQueue: pq, asyncChannel } = peers[kind];
    const times = await measure(
      { ours: works[kind], fastq, 'p-queue': pq, 'async-channel': asyncChannel },
      20,
    );
    const { ours, ...others } = times;
    const [name, time] = Object.entries(others).sort(([, a], [, b]) => a - b)[0]!;
    rows.push(row(names[kind], ours, time, `${name}, the fastest of three`));
  }
  // Only one of the three has each of these.
  const meet = await measure({ ours: works.meet, peer: peers.meet }, 20);
  const sync = await measure({ ours: works.sync, peer: peers.sync }, 20);
  rows.push(row(names.meet, meet.ours, meet.peer, 'async-channel'));
  rows.push(row(names.sync, sync.ours, sync.peer, 'fastq with callbacks'));
  return [...rows, ...(await preloadedRows('channels', names))];
}

function row(name: string, ours: number, peer: number, peerName: string): BenchResult {
  const ratio = peer / ours;
  return { name, ours, peer, peerName, unit: 'ns', ratio, goal: '>= 1 times as fast', met: ratio >= 1 };
}
