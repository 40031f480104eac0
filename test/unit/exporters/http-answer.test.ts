import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnswerReader } from '../../../exporters/http/answer';

/** What a reader makes of an answer that comes in pieces of one size. */
function read(text: string, size: number, wanted = 100): object | undefined {
  const reader = createAnswerReader(status => (status < 300 ? 0 : wanted));
  const shown = (answer = reader.end()): object | undefined =>
    answer && {
      status: answer.status,
      text: answer.body.toString(),
      ...(answer.keepsAlive ? { keepsAlive: true } : {}),
    };
  for (let at = 0; at < text.length; at += size) {
    const answer = reader.push(Buffer.from(text.slice(at, at + size), 'latin1'));
    if (answer !== undefined) return shown(answer);
  }
  return shown();
}

for (const [what, text, expected] of [
  ['success', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', { status: 200, text: '', keepsAlive: true }],
  ['success without a reason', 'HTTP/1.1 204\r\n\r\n', { status: 204, text: '', keepsAlive: true }],
  [
    'an interim answer first',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 422 No\r\nContent-Length: 3\r\n\r\nbad',
    { status: 422, text: 'bad', keepsAlive: true },
  ],
  [
    'chunks',
    'HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nout \r\n9\r\nof memory\r\n0\r\n\r\n',
    { status: 500, text: 'out of memory', keepsAlive: true },
  ],
  [
    'fields after its chunks',
    'HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX: y\r\n\r\n',
    { status: 500, text: 'no', keepsAlive: true },
  ],
  ['a body up to the end', 'HTTP/1.0 503 Busy\r\n\r\nlater', { status: 503, text: 'later' }],
  [
    'a body cut off',
    'HTTP/1.1 400 Bad\r\nContent-Length: 50\r\n\r\nunknown label',
    { status: 400, text: 'unknown label' },
  ],
  [
    'no body',
    'HTTP/1.1 401 Unauthorized\r\ncontent-length:0\r\n\r\n',
    { status: 401, text: '', keepsAlive: true },
  ],
  [
    'the word to close',
    'HTTP/1.1 401 Unauthorized\r\nConnection: Close\r\ncontent-length:0\r\n\r\n',
    { status: 401, text: '' },
  ],
  ['the older version', 'HTTP/1.0 401 Unauthorized\r\ncontent-length:0\r\n\r\n', { status: 401, text: '' }],
  ['nothing', '', undefined],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-', undefined],
] as const) {
  test(`an answer with ${what} is read, in whatever pieces it comes`, () => {
    for (let size = 1; size <= Math.max(1, text.length); size++) {
      assert.deepEqual(read(text, size), expected, `pieces of ${size}`);
    }
  });
}

test('no more of a body is waited for than is wanted', () => {
  assert.deepEqual(read(`HTTP/1.1 500 Oh\r\n\r\n${'x'.repeat(5)}`, 100, 4), { status: 500, text: 'xxxx' });
});

test('a connection with more on it than the answer is not used again', () => {
  const more = 'HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\n\r\n';
  assert.deepEqual(read(more, 1000), { status: 500, text: 'no' });
});

test('what is no HTTP, and a head without end, are errors', () => {
  assert.throws(() => read('SSH-2.0-OpenSSH_9.2\r\n\r\n', 100), /no HTTP/);
  assert.throws(() => read(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(5000)}`, 1000), /without end/);
});
