import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorType } from '../../../instrumentation/libraries/error-type';

class DatabaseError extends Error {}
class SimpleError extends Error {}
class KnexTimeoutError extends Error {
  override name = 'KnexTimeoutError';
}

const table: [what: string, error: unknown, type: string][] = [
  ['an SQLSTATE', Object.assign(new DatabaseError('duplicate key'), { code: '23505' }), '23505'],
  ['a code of Node.js', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['a number', Object.assign(new Error('x'), { code: 1146 }), '1146'],
  [
    'a code that is a sentence',
    Object.assign(new DatabaseError('x'), { code: 'secret value!' }),
    'DatabaseError',
  ],
  [
    'a code that is too long',
    Object.assign(new DatabaseError('x'), { code: 'A'.repeat(65) }),
    'DatabaseError',
  ],
  ['an error of Redis', new SimpleError('WRONGTYPE Operation against a key'), 'WRONGTYPE'],
  ['an error of Redis in words', new SimpleError('secret words'), 'SimpleError'],
  ['a shouted message', new Error('SECRET word'), '_OTHER'],
  ['a timeout of a query', new Error('Query read timeout'), 'timeout'],
  ['a timeout of a pool', new Error('timeout exceeded when trying to connect'), 'timeout'],
  ['a timeout of ioredis', new Error('Command timed out'), 'timeout'],
  ['an error with a name', new KnexTimeoutError('operation timed out'), 'KnexTimeoutError'],
  ['an error of a class', new DatabaseError('x'), 'DatabaseError'],
  ['a plain error', new Error('secret'), '_OTHER'],
  ['nothing', null, '_OTHER'],
  ['a string', 'secret', '_OTHER'],
  ['an object without a prototype', Object.create(null), '_OTHER'],
];

for (const [what, error, type] of table) {
  test(`${what} is ${type}`, () => assert.equal(errorType(error), type));
}
