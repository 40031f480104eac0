import { sep } from 'node:path';
import type { Frame } from './profile';

/**
 * The name of a function in a profile, such as `./routes/cart.js:addItem:12`: viewers add up functions by name, and
 * in JavaScript a bare name, or none, is shared by many. The continuous profiles of Pyroscope name theirs the same
 * way, so the two can be compared.
 *
 * @param cwd paths below it are shown from there
 */
export function functionName(frame: Frame, cwd: string): string {
  const { file, functionLine } = frame;
  if (file === '') return frame.name || '(anonymous)';
  const name = frame.name || `(anonymous:L#${functionLine || frame.line})`;
  const path = displayPath(file, cwd);
  return functionLine === 0 ? `${path}:${name}` : `${path}:${name}:${functionLine}`;
}

function displayPath(file: string, cwd: string): string {
  return cwd !== sep && file.startsWith(cwd + sep) ? `.${file.slice(cwd.length)}` : file;
}
