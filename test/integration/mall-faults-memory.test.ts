import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { preload } from '../helpers/app';
import { type FaultShop, startFaultShop } from '../helpers/fault-shop';
import type { Samples } from '../helpers/samples';

/**
 * The leak detector looks every half minute and wants half an hour of growth. Here it looks every 150 ms, and a small
 * young generation and early major collections show in as short a time what lives. Nothing else differs.
 */
const intervalMs = 150;

let shop: FaultShop;
let earlier: Samples;
before(async () => {
  shop = await startFaultShop({
    nodeArgs: [
      '--no-turbo-inlining',
      '--no-maglev',
      '--max-semi-space-size=1',
      // A suspicion and the search for places need a dozen collections, all before the leaks have grown to their ends.
      '--heap-growing-percent=8',
      '--require',
      preload,
    ],
    env: {
      VITALS_LEAK_INTERVAL_MS: String(intervalMs),
      VITALS_LEAK_HISTORY: '100',
    },
    rate: 20,
  });
  earlier = await shop.samples();
  await shop.start('heap-leak', { kibPerSecond: 2048, mostMib: 1024 });
  await shop.start('listener-leak', { perSecond: 4000, most: 1_000_000 });
  await shop.start('buffer-leak', { kibPerSecond: 2048 });
  await shop.start('timer-leak', { perSecond: 100 });
});
after(async () => {
  await shop?.close();
});

const mib = 2 ** 20;
const live = (samples: Samples) => samples.value('vitals_heap_live_bytes');
const used = (samples: Samples) => samples.value('v8js_memory_heap_used_bytes');
const buffers = (samples: Samples) => samples.value('vitals_process_memory_array_buffers_bytes');
const timers = (samples: Samples) => samples.value('v8js_resource_active', { v8js_resource_type: 'Timeout' });

interface Memory {
  readonly sites?: readonly { readonly name: string }[];
}

test('heap-leak and listener-leak: the heap grows by both, is found to leak, and a place is named', async () => {
  await shop.metric(live, value => value > (live(earlier) ?? 0) + 20 * mib, 60_000);
  await shop.metric(used, value => value > used(earlier)! + 20 * mib);
  await shop.finding('heap-leak', /heap/);
  const end = Date.now() + 60_000;
  // Which of the two is seen to grow first is chance.
  for (let names: string[] = []; !names.some(name => name === 'rememberOrder' || name === 'subscribe'); ) {
    names = ((await shop.admin.json<{ memory: Memory }>('/vitals')).memory.sites ?? []).map(
      ({ name }) => name,
    );
    assert.ok(Date.now() < end, `places: ${names.join(', ')}`);
  }
});

test('buffer-leak: memory outside of the heap grows, and is found to leak', async () => {
  await shop.metric(buffers, value => value > buffers(earlier)! + 20 * mib);
  await shop.finding('buffer-leak', /buffers/);
});

test('timer-leak: there are more and more timers, and they are found to leak', async () => {
  await shop.metric(timers, value => value > timers(earlier)! + 500);
  await shop.finding('timer-leak', /event loop/);
});

test('healed, timers are gone and memory is given back', async () => {
  // So much that what collections leave behind by chance is little beside it.
  await shop.metric(live, value => value > (live(earlier) ?? 0) + 80 * mib, 60_000);
  for (const name of ['heap-leak', 'listener-leak', 'buffer-leak', 'timer-leak'] as const)
    await shop.heal(name);
  await shop.metric(timers, value => value < timers(earlier)! + 200);
  const grown = live(await shop.samples())!;
  // It also makes the collections by which the memory is seen to be free.
  await shop.start('gc-pressure');
  await shop.metric(live, value => value < grown - 40 * mib, 60_000);
  await shop.metric(buffers, value => value < buffers(earlier)! + 20 * mib, 60_000);
  await shop.heal('gc-pressure');
});
