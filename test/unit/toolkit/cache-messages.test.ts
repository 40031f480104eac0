import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CacheMessage,
  listen,
  publish,
  type RedisSubscriber,
} from '../../../toolkit/cache/invalidation/messages';

/** A subscriber whose channel says what the test says. */
function setUp() {
  const heard: CacheMessage[] = [];
  const errors: unknown[] = [];
  let say: (text: string) => void = () => {};
  const subscriber: RedisSubscriber = {
    async subscribe(_channel, listener) {
      say = listener;
    },
    async unsubscribe() {},
    on() {},
    off() {},
  };
  const listener = {
    onMessage: (message: CacheMessage) => void heard.push(message),
    onListening() {},
  };
  listen(subscriber, 'channel', 'me', listener, error => errors.push(error));
  return { heard, errors, listener, say: (text: string) => say(text) };
}

test('what one process publishes another hears as it was, versions of any bytes too', async () => {
  const { heard, say } = setUp();
  const messages: CacheMessage[] = [
    { kind: 'key', key: 'k', version: '\u0000\u00ff\u0080"' },
    { kind: 'tag', name: 't', position: { ms: 5, seq: 1 } },
  ];
  for (const message of messages) {
    const tier = {
      async command(_key: string, _isRead: boolean, parts: readonly string[]) {
        say(parts[2]!);
      },
      context: { onError: assert.fail },
    };
    assert.equal(await publish(tier as never, 'channel', 'other', message), true);
  }
  assert.deepEqual(heard, messages);
});

test("one's own messages are not heard", () => {
  const { heard, say } = setUp();
  say(JSON.stringify({ origin: 'me', kind: 'key', key: 'k', version: '00' }));
  assert.deepEqual(heard, []);
});

test('what is no message of ours is an error that is told, and none of the client that got it', () => {
  const texts = [
    '{',
    'null',
    '7',
    '{}',
    '{"kind":"key","key":"k"}',
    '{"kind":"key","version":"00"}',
    '{"kind":"tag"}',
    '{"kind":"tag","name":"t","position":{"ms":1}}',
  ];
  for (const text of texts) {
    const { heard, errors, say } = setUp();
    say(text);
    assert.deepEqual(heard, [], text);
    assert.equal(errors.length, 1, text);
  }
});
