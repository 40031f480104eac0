import { isMainThread } from 'node:worker_threads';
import { environment, isDisabled } from './environment';
import { developerTool } from './host-process';
import { writeStderr } from './stderr';

/** Set once per thread, by whichever copy of the package comes first. */
const startedKey = Symbol.for('otel-vitals.started');
const scope = globalThis as { [startedKey]?: true };

/** Whether the agent runs in this thread because of this module. */
export let running = false;

// Entry of --require and --import. Whatever goes wrong in here must not become the application's failure.
try {
  const [, script] = process.argv;
  const mine = !isDisabled(environment()) && scope[startedKey] === undefined;
  if (mine && developerTool(script, process.execArgv) === undefined) {
    Object.defineProperty(scope, startedKey, { value: true });
    if (isMainThread) require('./start.js').start({ env: environment(), entry: script });
    else require('./worker.js').startInWorker();
    running = isMainThread;
  }
} catch (error) {
  writeStderr(`otel-vitals error: the agent did not start: ${String(error).replaceAll('\n', ' | ')}\n`);
}
