import { isMainThread } from 'node:worker_threads';
import { environment, isDisabled } from './environment';
import { developerTool } from './host-process';

/** Set once per thread, by whichever copy of the package comes first. */
const startedKey = Symbol.for('otel-vitals.started');
const scope = globalThis as { [startedKey]?: true };

/** Whether the agent runs in this thread because of this module. */
export let running = false;

// Entry of --require and --import. Whatever goes wrong in here must not become the application's failure.
try {
  if (
    !isDisabled(environment()) &&
    scope[startedKey] === undefined &&
    developerTool(process.argv[1]) === undefined
  ) {
    Object.defineProperty(scope, startedKey, { value: true });
    if (isMainThread) require('./start.js').start({ env: environment(), entry: process.argv[1] });
    else require('./worker.js').startInWorker();
    running = isMainThread;
  }
} catch (error) {
  process.stderr.write(
    `otel-vitals error: the agent did not start: ${String(error).replaceAll('\n', ' | ')}\n`,
  );
}
