import cluster from 'node:cluster';

/** Has SIGTERM and SIGINT run `close`, once. When that takes too long, or a second signal comes, the process ends. */
export function onShutdown(timeoutMs: number, close: () => Promise<void>): void {
  const signals: readonly NodeJS.Signals[] = cluster.isWorker ? ['SIGTERM'] : ['SIGTERM', 'SIGINT'];
  const shutDown = (signal: NodeJS.Signals): void => {
    // A second signal finds no listener, and ends the process at once.
    for (const one of signals) process.removeListener(one, shutDown);
    const deadline = setTimeout(() => {
      console.error(`mall: not closed ${timeoutMs} ms after ${signal}, ending now`);
      process.exit(1);
    }, timeoutMs);
    deadline.unref();
    close()
      .catch(error => {
        console.error('mall: shutdown failed:', error);
        process.exitCode = 1;
      })
      // A worker of a cluster is kept alive by its channel to the primary.
      .finally(() => process.disconnect?.());
  };
  for (const signal of signals) process.on(signal, shutDown);
  // Ctrl-C in a terminal reaches a worker as well as its primary, which then tells the worker to end.
  if (cluster.isWorker) process.on('SIGINT', () => {});
}
