import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore, type Thread } from '../helpers/interleavings';
import {
  checkMessages,
  nothing,
  oneAfterTheOther,
  programs,
  q,
  ring,
  runAlone,
  setUp,
} from '../helpers/queue-model';

for (const start of [0, 0x3fffffff, 0x7fffffff, -1]) {
  test(`from ${start}: two producers and two consumers lose, double and mix up nothing, however they interleave`, () => {
    const { states, ends } = explore(
      forget => {
        const words = setUp(start);
        const shared = nothing();
        const { send, receive } = programs(words, shared, 0, forget);
        return { words, threads: [send(0, 10), send(1, 20), receive(2), receive(3)], shared };
      },
      (shared, words) => checkMessages(shared, words, [10, 20]),
    );
    assert.ok(states > 1000 && ends > 10, `${states} states, ${ends} ends`);
  });
}

test('a full ring refuses, turns, and keeps the order', () => {
  explore(
    forget => {
      const words = setUp(-2);
      const shared = nothing();
      const { send, receive } = programs(words, shared, 0, forget);
      const producer = oneAfterTheOther(...[10, 11, 12].map(message => send(0, message)));
      const consumer = oneAfterTheOther(...[1, 2].map(task => receive(1, task)));
      return { words, threads: [producer, consumer, send(2, 20)], shared };
    },
    (shared, words) => checkMessages(shared, words, [10, 11, 12, 20]),
  );
});

test('two consumers that sleep are both woken, whoever publishes first', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const { send, receive } = programs(words, shared, Infinity, forget);
      return { words, threads: [receive(0), receive(1), send(2, 10), send(3, 20)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a consumer sleeps although its message is there');
      checkMessages(shared, words, [10, 20]);
    },
    [0, 1],
  );
});

test('a consumer that goes to sleep misses no message that comes meanwhile', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const { send, receive } = programs(words, shared, Infinity, forget);
      const consumer = oneAfterTheOther(receive(0, 1), receive(0, 2));
      return { words, threads: [consumer, oneAfterTheOther(send(1, 10), send(1, 11))], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a consumer sleeps although its message is there');
      checkMessages(shared, words, [10, 11]);
    },
  );
});

test('two producers that sleep in front of a full ring are both woken, whoever makes room first', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const { send, receive } = programs(words, shared, Infinity, forget);
      runAlone(send(9, 10));
      runAlone(send(9, 11));
      return { words, threads: [send(0, 12), send(1, 20), receive(2), receive(3)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a producer sleeps although it has room');
      checkMessages(shared, words, [10, 11, 12, 20]);
    },
    [0, 1],
  );
});

test('the flag of sleepers comes down once nobody sleeps, whoever was terminated meanwhile', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const { send, receive } = programs(words, shared, Infinity, forget);
      return { words, threads: [receive(0), oneAfterTheOther(send(1, 10), send(1, 11), receive(1))], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, []);
      checkMessages(shared, words, [10, 11]);
      runAlone(q.wakeSleepers(words, ring));
      runAlone(programs(words, nothing(), Infinity, () => {}).send(9, 12));
      assert.equal(words[q.sleepersWord], 0, 'every message looks for sleepers that are not');
    },
    [0],
    [0],
  );
});

test('a consumer that is terminated when it was woken leaves the message to another, which sleeps', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const { send, receive } = programs(words, shared, 100, forget);
      return { words, threads: [receive(0), receive(1), send(2, 10)], shared };
    },
    (shared, words, asleep) => {
      const received = Object.values(shared.got).flat();
      assert.deepEqual(received, [10], `the message stays, with ${asleep} asleep`);
      checkMessages(shared, words, [10]);
    },
    [0, 1],
    [0],
  );
});

test('a producer that is terminated when it was woken leaves the room to another, which sleeps', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const { send, receive } = programs(words, shared, 100, forget);
      runAlone(send(9, 10));
      runAlone(send(9, 11));
      return { words, threads: [send(0, 12), send(1, 20), receive(2)], shared };
    },
    (shared, words, asleep) => {
      const full = ((words[q.tailWord]! - words[q.headWord]!) | 0) >> 1 === 2;
      assert.ok(full, `there is room, with ${asleep} asleep`);
      assert.deepEqual(shared.got[2], [10]);
    },
    [0, 1],
    [0],
  );
});

test('whoever is told that it is closed and empty has seen all that two producers were told is in it', () => {
  const { ends } = explore(
    forget => {
      const words = setUp(0x7fffffff);
      const shared = nothing();
      const { send, receive } = programs(words, shared, 0, forget);
      function* consumer(): Thread {
        for (let task = 0; task < 3; task++) yield* receive(0, task);
        forget(0, 'over?');
        const over = yield* q.isOver(words);
        if (over) shared.closed.push(0);
      }
      return { words, threads: [consumer(), send(1, 10), send(2, 20), q.closeQueue(words)], shared };
    },
    (shared, words) => {
      const { length } = shared.got[0]!;
      if (shared.closed.length > 0) assert.equal(length + shared.refused, 2, 'accepted and not received');
      checkMessages(shared, words, [10, 20]);
    },
  );
  assert.ok(ends > 10, `${ends} ends`);
});

for (const waits of [Infinity, 100]) {
  test(`a consumer that sleeps for ${waits} has what was accepted before it is told that the queue is closed`, () => {
    explore(
      forget => {
        const words = setUp(0x7fffffff);
        const shared = nothing();
        const { send, receiveAll } = programs(words, shared, waits, forget);
        return { words, threads: [receiveAll(0), send(1, 10), q.closeQueue(words)], shared };
      },
      (shared, words, asleep) => {
        assert.deepEqual([asleep, shared.closed], [[], [0]], 'somebody sleeps in front of a closed queue');
        assert.equal(
          (shared.got[0]?.length ?? 0) + shared.refused,
          1,
          'a message was accepted and not received',
        );
        assert.equal((words[q.tailWord]! - words[q.headWord]!) | 0, 1);
      },
    );
  });
}

test('all consumers of a closed queue come to an end, whichever of them takes the message that was on its way', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const all = programs(words, shared, Infinity, forget);
      const place = runAlone(q.claimRoom(words, ring));
      words[place + 1] = 10;
      runAlone(q.closeQueue(words));
      function* producer(): Thread {
        yield* q.publish(words, place);
        yield* q.wakeSleepers(words, ring);
      }
      return { words, threads: [all.receiveAll(0), all.receiveAll(1), producer()], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'somebody sleeps in front of a closed queue');
      assert.deepEqual([...shared.closed].sort(), [0, 1]);
      checkMessages(shared, words, [10]);
    },
  );
});

test('a producer that waits for room is refused when the queue is closed, and else has its message received', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared = nothing();
      const all = programs(words, shared, Infinity, forget);
      runAlone(all.send(9, 10));
      runAlone(all.send(9, 11));
      return { words, threads: [all.send(0, 12), all.receiveAll(1), q.closeQueue(words)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, []);
      checkMessages(shared, words, [10, 11, 12]);
    },
    [0],
  );
});
