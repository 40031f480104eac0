import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Ingested, type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { bundleExporter, pyroscopeOptions, startProfiledApp } from '../helpers/pyroscope-app';

let server: IngestServer;
let wall: Ingested;
before(async () => {
  server = await startIngestServer();
  // One window for the whole run, sent when the application ends.
  const options = pyroscopeOptions(server.address, {
    flushIntervalMs: 60_000,
    wallSamplingIntervalMicros: 1000,
  });
  const app = startProfiledApp(await bundleExporter(), 'labels.mjs', options);
  assert.equal((await app.exited).code, 0, app.errors.join('\n'));
  assert.match(app.output, /^result\n/, 'what the labelled function returns is returned');
  wall = await server.profile(({ kind }) => kind === 'wall');
});
after(() => server.close());

/** The share of each value of the label `route` in the CPU time below `name`. */
function shares(name: string): Record<string, number> {
  const time: Record<string, number> = {};
  let total = 0;
  for (const { frames, labels, values } of wall.samples) {
    if (!frames.some(frame => frame.name.includes(`:${name}:`))) continue;
    const route = labels['route'] ?? 'none';
    time[route] = (time[route] ?? 0) + values[2]!;
    total += values[2]!;
  }
  assert.ok(total > 50e6, `${name} was sampled for ${total} ns`);
  return Object.fromEntries(Object.entries(time).map(([route, ns]) => [route, ns / total]));
}

/** A sample may be taken in the very instant of a switch. */
const nearly = 0.95;

for (const [what, name, route] of [
  ['samples of a labelled function carry its labels', 'burnLabelled', 'sync'],
  ['a function that throws is labelled up to its throw', 'burnBeforeThrow', 'throws'],
  ['labels are off after a throw', 'burnAfterThrow', 'none'],
  ['an async function is labelled before its first await', 'burnBeforeAwait', 'async'],
  ['an async function is labelled after it has waited', 'burnAfterAwait', 'async'],
  ['work of others while a labelled function waits is not labelled', 'burnMeanwhile', 'none'],
  ['labels are off after an async function ended', 'burnAtTheEnd', 'none'],
] as const) {
  test(what, () => {
    const found = shares(name);
    assert.ok((found[route] ?? 0) >= nearly, JSON.stringify(found));
  });
}
