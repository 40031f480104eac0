import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPatcher } from '../../../instrumentation/libraries/patcher';
import { UnexpectedShape } from '../../../instrumentation/libraries/target';
import { createLog } from '../../../instrumentation/log';

const lines: string[] = [];
const patcher = () => createPatcher(createLog('warn', line => lines.push(line)));

class Client {
  query(text: string, _values?: unknown[]): string {
    return `${text} of ${this.constructor.name}`;
  }
}

test('a wrapped method looks like the original to who asks for its name, length and place', () => {
  const before = Object.getOwnPropertyDescriptor(Client.prototype, 'query')!;
  const { wrap, undo } = patcher();
  wrap(
    Client.prototype,
    'query',
    original =>
      function (this: Client, ...args) {
        return original.apply(this, args);
      },
  );
  const { query } = Client.prototype;
  assert.deepEqual([query.name, query.length], ['query', 2]);
  assert.notEqual(query, before.value);
  assert.deepEqual(Object.keys(Client.prototype), []);
  assert.equal(new Client().query('name'), 'name of Client');
  undo();
  assert.deepEqual(Object.getOwnPropertyDescriptor(Client.prototype, 'query'), before);
});

test('an inherited method is wrapped for the heir alone, and given back', () => {
  class Heir extends Client {}
  const { wrap, undo } = patcher();
  wrap(Heir.prototype, 'query', () => () => 'wrapped');
  assert.equal(new Heir().query('x'), 'wrapped');
  assert.equal(new Client().query('x'), 'x of Client');
  undo();
  assert.equal(Object.hasOwn(Heir.prototype, 'query'), false);
});

test('what somebody else has wrapped since is left as it is', () => {
  const { wrap, undo } = patcher();
  const object = { run: () => 1 };
  wrap(object, 'run', original => () => original() + 1);
  const ours = object.run;
  object.run = () => ours() * 10;
  undo();
  assert.equal(object.run(), 20);
});

test('a method that is not there is an unexpected shape', () => {
  assert.throws(() => patcher().wrap({}, 'query', original => original), UnexpectedShape);
});

test('what a part of a hook throws goes to the log, once', () => {
  lines.length = 0;
  const { guard, failed } = patcher();
  guard(() => {
    throw new Error('inside');
  });
  failed(new Error('inside again'));
  assert.deepEqual(lines, ['otel-vitals warn: a library hook failed: inside\n']);
});
