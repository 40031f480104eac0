import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { type ChildEnding, endChildWithProcess } from './lifetime';
import { freePort } from './port';

/** A server could not be started; the message says which and what to do. */
export class ServerStartError extends Error {
  readonly code = 'SERVER_START_FAILED';
  override readonly name = 'ServerStartError';
}

/** How to start one server program on a port and tell that it is ready. */
export interface ServerProgram {
  /** Name for messages. */
  readonly name: string;
  readonly command: string;
  readonly args: (port: number) => string[];
  /** Matches the output once the server accepts connections. */
  readonly ready: RegExp;
  readonly options?: SpawnOptions;
  /** How it is ended. @default SIGTERM, 5 s */
  readonly ending?: ChildEnding;
  /** @default 30000 */
  readonly timeoutMs?: number;
}

/** A server that takes connections. */
export interface StartedServer {
  readonly child: ChildProcess;
  readonly port: number;
  /** Ends it in order; the end of this process ends it too. */
  close(): Promise<void>;
}

const attempts = 5;
const presetEnding: ChildEnding = { signal: 'SIGTERM', graceMs: 5000 };
const portTaken = /address already in use/i;

/**
 * Starts a server on a free loopback port, in a process group of its own, so that Ctrl-C in a terminal reaches this
 * process only and the servers end in the order it chooses.
 *
 * @throws {@link ServerStartError} with the server's last output.
 */
export async function startServerProcess(program: ServerProgram): Promise<StartedServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const child = spawn(program.command, program.args(port), {
      ...program.options,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const close = endChildWithProcess(child, program.ending ?? presetEnding);
    const failure = await untilReady(child, program);
    if (failure === undefined) {
      letGo(child);
      return { child, port, close };
    }
    await close();
    if (attempt < attempts && portTaken.test(failure)) continue;
    throw new ServerStartError(`${program.name} did not start: ${failure.trim().slice(-2000)}`);
  }
}

/** Resolves with undefined when ready, else with what went wrong. */
function untilReady(
  child: ChildProcess,
  { ready, timeoutMs = 30_000 }: ServerProgram,
): Promise<string | undefined> {
  return new Promise(resolve => {
    let output = '';
    const timer = setTimeout(() => resolve(`not ready after ${timeoutMs} ms. ${output}`), timeoutMs);
    const settle = (failure?: string): void => {
      clearTimeout(timer);
      resolve(failure);
    };
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-16_384);
      if (ready.test(output)) settle();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', error => settle(error.message));
    child.once('close', (code, signal) => settle(`exited with ${signal ?? code}. ${output}`));
  });
}

/** A running server must not keep this process alive, and its output must not fill the pipe. */
function letGo(child: ChildProcess): void {
  for (const stream of [child.stdout, child.stderr]) {
    stream?.removeAllListeners('data');
    stream?.resume();
    (stream as unknown as { unref?: () => void } | null)?.unref?.();
  }
  child.unref();
}
