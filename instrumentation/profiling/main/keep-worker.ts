import { Worker } from 'node:worker_threads';
import { makeInternal } from '../../internal';
import { errorText, type Log } from '../../log';
import { connectPeer, type Methods, type Peer } from '../rpc';

/** Times that a worker which ended by itself is started anew. */
const maxRestarts = 3;
/** Milliseconds that it may take to end in order. */
const shutdownMs = 1000;

/** What every such worker answers: it ends what it does. */
type KeptMethods = Methods & { shutdown(_: undefined): Promise<void> };

/**
 * A worker that is started anew, a few times, when it ends by itself. It does not keep the process alive.
 *
 * @throws where Node.js does not let us have a worker
 */
export function keepWorker<Remote extends KeptMethods>(
  script: string,
  workerData: unknown,
  methods: Methods,
  log: Pick<Log, 'warn'>,
  restartMs = 1000,
): { peer(): Peer<Remote>; stop(): Promise<void> } {
  let stopping = false;
  let restarts = 0;
  const spawn = (): { worker: Worker; peer: Peer<Remote> } => {
    // Neither this thread's options nor its environment: the preload in them is for the application's own workers.
    const worker = makeInternal(
      () => new Worker(script, { workerData, execArgv: [], env: {}, name: 'otel-vitals' }),
    );
    const peer = connectPeer<Remote>(worker, methods);
    let reason = '';
    worker.on('error', error => {
      reason = errorText(error);
    });
    worker.on('exit', code => {
      peer.close();
      if (stopping) return;
      const again = restarts++ < maxRestarts;
      log.warn(
        `the profiling worker ended (${reason || `exit code ${code}`})${again ? ' and is started anew' : ''}`,
      );
      if (again) setTimeout(restart, restartMs).unref();
    });
    worker.unref();
    return { worker, peer };
  };
  let current = spawn();
  const restart = (): void => {
    if (stopping) return;
    try {
      current = spawn();
    } catch (error) {
      log.warn(`the profiling worker did not start: ${errorText(error)}`);
    }
  };
  return {
    peer: () => current.peer,
    async stop() {
      stopping = true;
      await current.peer.call('shutdown', undefined, shutdownMs).catch(() => {
        // It is gone, or busy; the next line ends it in any case.
      });
      await current.worker.terminate();
    },
  };
}
