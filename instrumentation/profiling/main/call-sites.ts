import type { Frame } from '../pprof/profile';
import { scriptFile } from '../worker/v8-frames';

/**
 * The stack that V8 noted in `holder`, innermost call first. V8 asks how a stack is to be written when it is first
 * read, so this must be the first to read it; one that is text already is taken apart by nobody, and is empty here.
 */
export function framesOf(holder: { readonly stack?: unknown }): Frame[] {
  const own = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  let sites: unknown;
  try {
    // By Reflect, which does not throw where intrinsics are frozen.
    Reflect.set(Error, 'prepareStackTrace', (_: Error, callSites: NodeJS.CallSite[]) => callSites);
    sites = holder.stack;
  } finally {
    if (own === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Reflect.defineProperty(Error, 'prepareStackTrace', own);
  }
  if (!Array.isArray(sites)) return [];
  return (sites as NodeJS.CallSite[]).map(site => ({
    name: site.getFunctionName() ?? '',
    file: scriptFile(site.getScriptNameOrSourceURL() ?? site.getFileName()),
    line: site.getLineNumber() ?? 0,
    column: site.getColumnNumber() ?? 0,
    functionLine: 0,
    functionColumn: 0,
  }));
}

/** Whether a frame is Node.js's own. */
export function isInternalFrame({ file }: Frame): boolean {
  return file === '' || file.startsWith('node:');
}
