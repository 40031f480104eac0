import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { availableEncodings, Compression } from '../../../../toolkit/network';
import { isCompressible } from '../../../../toolkit/network/server/compression/content-types';
import { negotiate } from '../../../../toolkit/network/server/compression/encodings';
import type { Encoding } from '../../../../toolkit/network/server/compression/names';

const all: readonly Encoding[] = ['br', 'zstd', 'gzip', 'deflate'];
const chosen = (header: string | undefined, offered = all): string | undefined =>
  negotiate(header, offered).encoding;

test('a coding is chosen as RFC 9110 has it', () => {
  for (const [header, encoding, identityRefused] of [
    [undefined, undefined, false],
    ['', undefined, false],
    ['gzip', 'gzip', false],
    ['gzip, deflate, br, zstd', 'br', false],
    ['gzip;q=1.0, br;q=0.9', 'gzip', false],
    ['*', 'br', false],
    ['*;q=0.5, gzip;q=0.8', 'gzip', false],
    ['br;q=0, *', 'zstd', false],
    ['gzip;q=0', undefined, false],
    ['identity', undefined, false],
    ['identity, gzip;q=0.5', undefined, false],
    ['identity;q=0.5, gzip', 'gzip', false],
    ['identity;q=0', undefined, true],
    ['*;q=0', undefined, true],
    ['*;q=0, identity', undefined, false],
    ['gzip, *;q=0', 'gzip', true],
    ['identity;q=0, *', 'br', true],
    ['x-gzip', 'gzip', false],
    ['GZIP ; Q=1', 'gzip', false],
    ['gzip;q=2, br;q=x, deflate;q=0.1234', undefined, false],
    ['gzip;level=9', undefined, false],
    [' , ,gzip,', 'gzip', false],
    ['gzip;q=0, gzip', undefined, false],
  ] as const) {
    assert.deepEqual(negotiate(header, all), { encoding, identityRefused }, String(header));
  }
  assert.equal(chosen('gzip, br', ['gzip', 'br']), 'gzip');
  assert.equal(chosen('br', ['gzip']), undefined);
});

/** What is chosen, read from the words of the RFC over the list itself and not over its text. */
function oracle(list: readonly (readonly [string, number | undefined])[], offered: readonly Encoding[]) {
  const weightOf = (coding: string): number | undefined =>
    list.find(([name]) => name === coding)?.[1] ?? (list.some(([name]) => name === coding) ? 1 : undefined);
  const any = weightOf('*');
  const weights = offered.map(one => [one, weightOf(one) ?? any ?? 0] as const);
  const best = Math.max(0, ...weights.map(([, weight]) => weight));
  const identity = weightOf('identity');
  const coding =
    best === 0 || (identity !== undefined && identity > best)
      ? undefined
      : weights.find(([, weight]) => weight === best)?.[0];
  return { encoding: coding, identityRefused: identity === 0 || (identity === undefined && any === 0) };
}

test('whatever list a client sends, the choice is that of the oracle', () => {
  const coding = fc.constantFrom('br', 'zstd', 'gzip', 'deflate', 'identity', '*', 'compress', 'exi');
  const weight = fc.option(
    fc.integer({ min: 0, max: 1000 }).map(n => n / 1000),
    { nil: undefined },
  );
  const lists = fc.uniqueArray(fc.tuple(coding, weight), { minLength: 1, selector: ([name]) => name });
  const offers = fc.shuffledSubarray([...all], { minLength: 1 });
  const space = fc.constantFrom('', ' ', '  ', '\t');
  fc.assert(
    fc.property(lists, offers, space, fc.boolean(), (list, offered, gap, upper) => {
      const text = list
        .map(
          ([name, q]) =>
            `${upper ? name.toUpperCase() : name}${q === undefined ? '' : `${gap};${gap}q=${q}`}`,
        )
        .join(`${gap},${gap}`);
      assert.deepEqual(negotiate(text, offered), oracle(list, offered), text);
    }),
    { numRuns: 2000 },
  );
});

test('no header whatever throws, or takes long', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), text => {
      const { encoding } = negotiate(text, all);
      assert.ok(encoding === undefined || all.includes(encoding));
    }),
  );
  const began = performance.now();
  negotiate(`${'gzip;q='.repeat(2000)},${' '.repeat(8000)}x`, all);
  assert.ok(performance.now() - began < 1000);
});

test('types are known to compress by what they are', () => {
  for (const type of [
    'text/html; charset=utf-8',
    'application/json',
    'image/svg+xml',
    'APPLICATION/LD+JSON',
    'application/wasm',
  ]) {
    assert.equal(isCompressible(type), true, type);
  }
  for (const type of [
    'image/png',
    'video/mp4',
    'font/woff2',
    'application/zip',
    'application/octet-stream',
    '',
    'textual',
  ]) {
    assert.equal(isCompressible(type), false, type);
  }
});

test('options that make no sense are refused, and say what was expected', () => {
  const make = (options: object) => () => new Compression({ name: 'x', ...options } as never);
  assert.throws(make({ name: '' }), /Expected name to be a string of at least one character, got /);
  assert.throws(
    make({ encodings: ['lzma'] }),
    /Expected encodings to name br, zstd, gzip, deflate, got lzma/,
  );
  assert.throws(make({ encodings: [] }), /Expected encodings to be a list of at least one of/);
  assert.throws(make({ levels: { br: 12 } }), /Expected levels.br to be an integer from 0 to 11, got 12/);
  assert.throws(make({ levels: { lzma: 1 } }), /Expected levels to name br, zstd, gzip, deflate, got lzma/);
  assert.throws(make({ minBytes: -1 }), /Expected minBytes to be an integer of zero or more, got -1/);
  assert.throws(make({ filter: 1 }), /Expected filter to be a function, got number/);
  assert.ok(availableEncodings.includes('br') && availableEncodings.includes('gzip'));
});
