import type { Frame } from '../pprof/profile';
import type { MainSession } from './main-session';
import { scriptFile } from './v8-frames';

const maxFrames = 64;
const ownName = 'otel-vitals:stack';

/**
 * Runs in the main thread, in the middle of whatever it does. It touches nothing but the two settings of `Error` that
 * shape a stack, and puts them back before anything else runs.
 */
const expression = `(() => {
  const limit = Error.stackTraceLimit;
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  try {
    Error.stackTraceLimit = ${maxFrames + 2};
    Error.prepareStackTrace = (_, sites) => sites;
    const holder = {};
    Error.captureStackTrace(holder);
    return JSON.stringify(holder.stack.map(site => [
      site.getFunctionName() || '', site.getScriptNameOrSourceURL() || '', site.getLineNumber() || 0, site.getColumnNumber() || 0,
    ]));
  } finally {
    Error.stackTraceLimit = limit;
    if (prepare === undefined) delete Error.prepareStackTrace;
    else Object.defineProperty(Error, 'prepareStackTrace', prepare);
  }
})()
//# sourceURL=${ownName}`;

type Site = readonly [name: string, file: string, line: number, column: number];

/**
 * The main thread's stack as it is now, innermost call first; empty when no JavaScript runs there.
 *
 * V8 runs the inspector's commands where it can interrupt a thread, in loops and at calls, and there a stack can be
 * had like any other. Against pausing the thread in the debugger this stops nothing, leaves no state behind if this
 * worker ends in the middle, and does not show in a debugger that somebody has attached.
 */
export async function takeMainStack(session: MainSession): Promise<Frame[]> {
  const { result } = await session.post<{ result: { value?: unknown } }>('Runtime.evaluate', {
    expression,
    returnByValue: true,
    silent: true,
  });
  if (typeof result.value !== 'string') throw new Error(`Expected a stack, got ${typeof result.value}`);
  const sites = JSON.parse(result.value) as Site[];
  return sites
    .filter(([, file]) => file !== ownName)
    .map(([name, file, line, column]) => ({
      name,
      file: scriptFile(file),
      line,
      column,
      functionLine: 0,
      functionColumn: 0,
    }));
}
