import { fileURLToPath } from 'node:url';
import type { Frame } from '../pprof/profile';

/** `Runtime.CallFrame` of the inspector protocol: where a function begins, lines and columns from 0, -1 where unknown. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** @param line where it executes, from 1; 0 where that is unknown */
export function toFrame({ functionName, url, lineNumber, columnNumber }: CallFrame, line = 0): Frame {
  const file = scriptFile(url);
  if (file === '') {
    return {
      name: functionName || '(anonymous)',
      file,
      line: 0,
      column: 0,
      functionLine: 0,
      functionColumn: 0,
    };
  }
  return {
    name: functionName,
    file,
    line,
    column: 0,
    functionLine: lineNumber + 1,
    functionColumn: columnNumber + 1,
  };
}

/** ES modules are named by URL, CommonJS modules by path. */
export function scriptFile(url: string | null | undefined): string {
  if (!url?.startsWith('file://')) return url ?? '';
  try {
    return fileURLToPath(url);
  } catch {
    // A URL that names no path of this system, as with a host in it.
    return url;
  }
}
