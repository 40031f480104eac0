import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Course, live, mib, noise } from '../../../helpers/memory-course';

/** Traffic that rises tenfold in an hour, stays for two, and falls again. */
const ramp = (t: number): number =>
  t < 60 ? 10 + t * 1.5 : t < 180 ? 100 : Math.max(10, 100 - (t - 180) * 1.5);
const day = (t: number): number => 100 * (0.55 - 0.45 * Math.cos((2 * Math.PI * t) / 1440));
/** Requests so far, of that traffic. */
function counted(load: (t: number) => number): (t: number) => number {
  let total = 0;
  return t => {
    total += load(t) / 2;
    return total;
  };
}

/** Courses of noise that each is run with; more of them took nothing to light. */
const seeds = 1;

/** Each run has noise of its own. */
type Named = (n: () => number) => { hours: number; course: Course };

const leaks: Readonly<Record<string, Named>> = {
  'half a MiB a minute': n => ({
    hours: 2,
    course: t => ({ live: 60 + t * 0.5 + n() * 2, load: 50 + n() * 5 }),
  }),
  'forty MiB a minute, which ends it within the hour': n => ({
    hours: 0.6,
    course: t => ({ live: 60 + t * 40 + n() * 2, load: 50 + n() * 5 }),
  }),
  'four MiB an hour under noise of twenty': n => ({
    hours: 10,
    course: t => ({ live: 100 + (t * 4) / 60 + n() * 20, load: 50 + n() * 20 }),
  }),
  'some of every request, hidden in traffic that rises tenfold': n => {
    const requests = counted(ramp);
    return {
      hours: 4,
      course: t => ({ live: 60 + ramp(t) * 0.5 + requests(t) * 0.006 + n() * 2, load: ramp(t) + n() * 5 }),
    };
  },
  'a leak that few major collections show': n => ({
    hours: 4,
    course: t => ({ live: n() > 1.3 ? 60 + t * 0.3 + n() * 2 : undefined, load: 50 + n() * 5 }),
  }),
  'six MiB at a time, every seven minutes': n => ({
    hours: 3,
    course: t => ({ live: 60 + Math.floor(t / 7) * 6 + n(), load: 50 + n() * 5 }),
  }),
  'a leak that begins when a cache is full': n => ({
    hours: 6,
    course: t => ({
      live: 40 + Math.min(100, t * 5) + Math.max(0, t - 120) * 0.4 + n() * 2,
      load: 50 + n() * 5,
    }),
  }),
};

for (const [name, make] of Object.entries(leaks)) {
  test(`found: ${name}`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { hours, course } = make(noise(seed));
      const { detector, foundAt } = live(hours, course);
      assert.notEqual(foundAt(), undefined, JSON.stringify(detector.state.heap));
    }
  });
}

const none: Readonly<Record<string, Named>> = {
  'steady work': n => ({ hours: 10, course: () => ({ live: 60 + n() * 4, load: 50 + n() * 5 }) }),
  'steady work of which readings resemble those before them': n => {
    let drift = 0;
    return {
      hours: 10,
      course: () => {
        drift = drift * 0.9 + n() * 2;
        return { live: 100 + drift, load: 50 + n() * 5 };
      },
    };
  },
  'a cache that is full within half an hour, at an even pace': n => ({
    hours: 6,
    course: t => ({ live: 40 + Math.min(100, t * 3.3) + n() * 2, load: 50 + n() * 5 }),
  }),
  'a cache that fills more and more slowly for two hours': n => ({
    hours: 6,
    course: t => ({ live: 40 + 120 * (1 - Math.exp(-t / 25)) + n() * 2, load: 50 + n() * 5 }),
  }),
  'traffic that rises tenfold and falls again': n => ({
    hours: 6,
    course: t => ({ live: 60 + ramp(t) * 0.8 + n() * 3, load: ramp(t) + n() * 4 }),
  }),
  'such traffic, of which sessions last for ten minutes': n => {
    let sessions = 10;
    return {
      hours: 6,
      course: t => {
        sessions += (ramp(t) - sessions) * 0.05;
        return { live: 60 + sessions * 0.8 + n() * 3, load: ramp(t) + n() * 4 };
      },
    };
  },
  'days and nights': n => ({
    hours: 48,
    course: t => ({ live: 60 + day(t) * 0.8 + n() * 3, load: day(t) + n() * 4 }),
  }),
  'a saw of ten minutes': n => ({
    hours: 6,
    course: t => ({ live: 60 + (t % 10) * 6 + n() * 2, load: 50 + n() * 5 }),
  }),
  'a saw of forty minutes': n => ({
    hours: 6,
    course: t => ({ live: 60 + (t % 40) * 2 + n() * 2, load: 50 + n() * 5 }),
  }),
  'a saw of two hours, of which one tooth was seen': n => ({
    hours: 10,
    course: t => ({ live: 60 + ((t + 90) % 120) + n() * 2, load: 50 + n() * 5 }),
  }),
  'a big table that is loaded once': n => ({
    hours: 4,
    course: t => ({ live: 60 + (t > 40 ? 100 : 0) + n() * 2, load: 50 + n() * 5 }),
  }),
  'code that warms up': n => ({
    hours: 4,
    course: t => ({ live: 30 + 20 * (1 - Math.exp(-t / 5)) + n(), load: 50 + n() * 5 }),
  }),
};

for (const [name, make] of Object.entries(none)) {
  test(`no leak: ${name}`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { hours, course } = make(noise(seed));
      assert.equal(live(hours, course).foundAt(), undefined);
    }
  });
}

test('the pace, its interval and the time left are those of the leak', () => {
  const n = noise(7);
  const { detector } = live(3, t => ({ live: 60 + t * 0.5 + n() * 2, load: 50 + n() * 5 }));
  const { verdict } = detector.state.heap;
  assert.equal(verdict.judgement, 'grows');
  const perHour = 30 * mib;
  assert.ok(verdict.perHourLow < perHour && perHour < verdict.perHourHigh, JSON.stringify(verdict));
  assert.ok(verdict.perHourHigh - verdict.perHourLow < perHour / 4);
  // 2,048 MiB less the 60 and 90 that are there.
  assert.ok(verdict.hoursLeftLow! < 63.3 && 63.3 < verdict.hoursLeftHigh!, JSON.stringify(verdict));
  assert.ok(verdict.p < 1e-6 && verdict.confidence > 0.8 && verdict.steadiness > 0.8);
});

test('a leak that is mended is none within an hour', () => {
  const n = noise(3);
  const { leaksAtEnd, foundAt } = live(4, t => ({ live: 60 + Math.min(t, 120) * 0.5 + n(), load: 50 }));
  assert.ok(foundAt()! < 60);
  assert.equal(leaksAtEnd(), false);
});

test('buffers, native memory and resources are judged by themselves', () => {
  for (const [kind, course] of [
    ['buffers', (t: number) => ({ live: 60, externalBytes: (5 + t * 0.5) * mib })],
    ['native', (t: number) => ({ live: 60, nativeBytes: (40 + t) * mib })],
    ['resources', (t: number) => ({ live: 60, activeResources: 20 + Math.floor(t * 3) })],
  ] as const) {
    const { detector, foundAt } = live(2, course);
    assert.ok(foundAt(kind)! < 60, kind);
    const others = Object.entries(detector.state).filter(([other]) => other !== kind);
    assert.deepEqual(
      others.map(([, { leaks: is }]) => is),
      [false, false, false],
      kind,
    );
  }
});

test('native memory that grows by what allocators keep is no leak', () => {
  const { foundAt } = live(4, t => ({ live: 60, nativeBytes: (40 + t * 0.03) * mib }));
  assert.equal(foundAt('native'), undefined);
});

test('a hundred snapshots are kept, and what is acquitted must be found anew', () => {
  const { detector } = live(3, t => ({ live: 60 + t * 0.5 }));
  assert.equal(detector.history.length, 100);
  assert.equal(detector.history[99]!.at, 3 * 3_600_000 - 30_000);
  assert.equal(detector.state.heap.leaks, true);
  detector.acquit('heap');
  assert.equal(detector.state.heap.leaks, false);
});
