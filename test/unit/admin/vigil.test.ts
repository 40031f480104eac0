import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVigil } from '../../../instrumentation/admin/page/vigil';

function setUp() {
  let time = 0;
  const vigil = createVigil(() => time);
  return {
    vigil,
    pass(ms: number) {
      time += ms;
    },
    said: () => `${vigil.notice().what} ${vigil.notice().time}`.trim(),
  };
}
const fine = { answers: true, blockedMs: 0 };

test('a block is said with its time, which moves on without another answer', () => {
  const { vigil, pass, said } = setUp();
  vigil.asked();
  vigil.answered({ answers: false, blockedMs: 1200 });
  assert.equal(said(), 'The event loop is blocked: the application has not answered for 1 s');
  pass(6000);
  assert.equal(vigil.notice().time, 'for 7 s');
  // Answers that come late and say less of the same block do not turn it back.
  vigil.answered({ answers: false, blockedMs: 7100 });
  assert.equal(vigil.notice().time, 'for 7 s');
  vigil.answered(fine);
  assert.equal(said(), '');
  vigil.answered({ answers: false, blockedMs: 2000 });
  assert.equal(vigil.notice().time, 'for 2 s', 'another block begins anew');
});

test('a server that does not answer is said after a while, and why once that is known', () => {
  const { vigil, pass, said } = setUp();
  vigil.answered(fine);
  pass(60_000);
  assert.equal(said(), '', 'nobody asked');
  vigil.asked();
  pass(3999);
  assert.equal(said(), '');
  pass(2001);
  assert.equal(said(), 'The server has not answered for 6 s');
  pass(4000);
  vigil.failed('signal timed out');
  pass(2000);
  vigil.asked();
  assert.equal(said(), 'The server does not answer (signal timed out), and has not for 12 s');
  vigil.answered(fine);
  assert.equal(said(), '');
});
