import { join } from 'node:path';
import type { ResourceLimits, TransferListItem, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';

const runner = join(__dirname, 'runner.cjs');

/** What stands for a result or an error that could not be sent, as runner.cjs marks it. */
export interface Unsent {
  readonly 'otel-vitals.task': 'threw' | 'result';
  readonly text: string;
}

export function isUnsent(error: unknown): error is Unsent {
  return typeof error === 'object' && error !== null && 'otel-vitals.task' in error;
}

/** How a thread is made; passed on to Node.js. */
export interface ThreadOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly argv?: readonly string[];
  readonly execArgv?: readonly string[];
  /** Of the young and old generation, the code, and the stack; a thread past them crashes and not the process. */
  readonly resourceLimits?: ResourceLimits;
  readonly workerData?: unknown;
}

export interface ThreadEvents {
  /** It has loaded its file. */
  ready(): void;
  /** It ended by itself. */
  crashed(crash: { readonly error: unknown; readonly exitCode: number | undefined }): void;
}

/**
 * One thread, by a Piscina of its own: Piscina passes tasks and results, and we decide how many threads there are,
 * which can't be changed in a Piscina, which runs what, and which is ended with its task.
 */
export class Thread {
  /** Resolves when the thread is gone; never rejects. */
  readonly gone: Promise<void>;
  readonly #piscina: Piscina;
  readonly #worker: Worker;
  readonly #file: string;
  /** No longer to be used, for whatever reason. */
  #over = false;
  /** Whether that was told, or was our doing. */
  #known = false;

  constructor(file: string, { argv, execArgv, ...options }: ThreadOptions, events: ThreadEvents) {
    const piscina = new Piscina({
      ...options,
      ...(argv && { argv: [...argv] }),
      ...(execArgv && { execArgv: [...execArgv] }),
      filename: runner,
      name: exportOf(file, 'default'),
      minThreads: 1,
      maxThreads: 1,
      recordTiming: false,
    });
    const worker = piscina.threads[0]!;
    this.#piscina = piscina;
    this.#worker = worker;
    this.#file = file;
    // It tells of a thread that is no more before it starts another, which is for us to decide: that is prevented.
    piscina.on('workerDestroy', () => {
      if (this.#over) return;
      this.#over = true;
      void piscina.destroy();
    });
    // Of an idle thread that failed; the thread itself tells us of it.
    piscina.on('error', () => {});
    const crashed = (error: unknown, exitCode?: number): void => {
      this.#over = true;
      if (this.#known) return;
      this.#known = true;
      events.crashed({ error, exitCode });
    };
    worker.once('error', (error: unknown) => crashed(error));
    // The first message is Piscina's own, sent when the file has been loaded.
    worker.once('message', () => {
      worker.unref();
      if (!this.#over) events.ready();
    });
    this.gone = new Promise(resolve => {
      worker.once('exit', exitCode => {
        crashed(undefined, exitCode);
        resolve();
      });
    });
  }

  /** Whether it takes no more tasks, and the one it had was not ended by itself. */
  get over(): boolean {
    return this.#over;
  }

  /** Keeps the process alive until the thread has loaded its file. A task keeps it alive by itself. */
  hold(): void {
    this.#worker.ref();
  }

  /** Runs the exported function `name` of the file. */
  run(
    input: unknown,
    name: string | undefined,
    transferList: readonly TransferListItem[] | undefined,
  ): Promise<unknown> {
    if (name === undefined && transferList === undefined) return this.#piscina.run(input);
    return this.#piscina.run(input, {
      ...(name !== undefined && { name: exportOf(this.#file, name) }),
      // Its type is that of another copy of Node's types.
      ...(transferList !== undefined && { transferList: [...transferList] as never }),
    });
  }

  /** Ends it, whatever it is doing. */
  end(): void {
    this.#known = true;
    if (this.#over) return;
    this.#over = true;
    void this.#piscina.destroy();
  }
}

/** How the runner is told which function of which file. */
function exportOf(file: string, name: string): string {
  return JSON.stringify([file, name]);
}
