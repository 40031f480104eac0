import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { endChildWithProcess } from './servers/lifetime';
import { ServerStartError } from './servers/server-process';

/** The shop, or its payment gateway, in a process of its own. */
export interface ShopProcess {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<string>;
  /** What the process has written to stderr and no listener was told. */
  complaints(): string;
  /** Has `listener` told what the process writes to stderr, and has written there so far. */
  onComplaint(listener: (text: string) => void): void;
  close(): Promise<void>;
}

const repository = join(__dirname, '..', '..');
const startTimeoutMs = 60_000;

/**
 * Starts the built shop as a user would: `node --require ./instrumentation dist/mall/main.js`.
 *
 * @param env settings on top of this process's environment
 * @throws {@link ServerStartError} with what the shop complained of
 */
export function startShopProcess(env: NodeJS.ProcessEnv): Promise<ShopProcess> {
  return startProcess('main.js', env, ['--require', join(repository, 'instrumentation')]);
}

/** Starts the built payment gateway on a free port. @throws {@link ServerStartError} */
export function startGatewayProcess(): Promise<ShopProcess> {
  return startProcess('payment/main.js', { HOST: '127.0.0.1', PORT: '0' });
}

async function startProcess(
  file: string,
  env: NodeJS.ProcessEnv,
  nodeArgs: readonly string[] = [],
): Promise<ShopProcess> {
  const main = join(repository, 'dist', 'mall', file);
  if (!existsSync(main)) throw new ServerStartError('the shop is not built: run `npm run build` first');
  const child = spawn(process.execPath, [...nodeArgs, main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own, so that Ctrl-C in a terminal reaches the demo only, which then ends it in order.
    detached: true,
  });
  const close = endChildWithProcess(child, { signal: 'SIGTERM', graceMs: 12_000 });
  let complaints = '';
  let onComplaint = (text: string): void => {
    complaints = (complaints + text).slice(-65_536);
  };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => onComplaint(text));
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  try {
    const url = await listening(child, ended, nodeArgs.length > 0 ? 'the shop' : 'the payment gateway');
    return {
      url,
      pid: child.pid!,
      ended,
      complaints: () => complaints,
      onComplaint(listener) {
        if (complaints !== '') listener(complaints);
        complaints = '';
        onComplaint = listener;
      },
      close,
    };
  } catch (error) {
    await close();
    throw new ServerStartError(`${(error as Error).message}\n${complaints}`.trim());
  }
}

/** The address in the line that the shop prints once it takes requests. */
async function listening(child: ChildProcess, ended: Promise<string>, name: string): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  let output = '';
  const address = new Promise<string>(resolve => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-65_536);
      const url = /^\{"event":"listening","url":"([^"]+)"/m.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const failure = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} does not get ready`)), startTimeoutMs);
    void ended.then(how => reject(new Error(`${name} ended while starting: ${how}`)));
  });
  return Promise.race([address, failure]).finally(() => clearTimeout(timer));
}
