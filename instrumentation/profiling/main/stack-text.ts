import type { Frame } from '../pprof/profile';
import { scriptFile } from '../worker/v8-frames';

/** `    at async Cart.reserve [as hold] (/srv/cart.js:14:3)`, or `    at /srv/cart.js:14:3`. */
const line =
  /^\s*at (?:async )?(?:(?:new )?(.+?)(?: \[as [^\]]+\])? \()?((?:file:|node:|\/|[A-Za-z]:\\).+?):(\d+):(\d+)\)?$/;

/**
 * The frames of a stack as V8 writes it, innermost call first; lines that are written otherwise are left out.
 * Functions bear their own names, without the type they were called on, as V8's profilers have them.
 */
export function parseStack(stack: string): Frame[] {
  return stack.split('\n').flatMap(text => {
    const match = line.exec(text);
    if (match === null) return [];
    const [, called = '', file, at, column] = match;
    const name = called.slice(called.lastIndexOf('.') + 1);
    return {
      name: name === '<anonymous>' ? '' : name,
      file: scriptFile(file),
      line: Number(at),
      column: Number(column),
      functionLine: 0,
      functionColumn: 0,
    };
  });
}
