import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { repository } from './app';

/** A run of the demo with a temporary folder of its own, by which all that it starts is known. */
export interface DemoRun {
  readonly pid: number;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the match as soon as stdout has one; rejects when the demo ends without. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Writes to the demo's terminal. */
  type(keys: string): void;
  /** Sends a signal to the demo's whole process group, as a terminal does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Processes and files that the demo started or made and that are there now. */
  remains(): string[];
  /** Waits until nothing remains, and says what does after `timeoutMs`. */
  remainsAfter(timeoutMs: number): Promise<string[]>;
}

export interface DemoOptions {
  /** Program and its arguments. @default npm run demo -- */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly timeoutMs?: number;
}

const groups = new Set<number>();
const folders: string[] = [];
process.on('exit', () => {
  for (const pid of groups) process.kill(-pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts the demo on ports of its own; nothing of this process's OpenTelemetry or server settings reaches it. */
export function startDemo({
  command,
  args = [],
  env = {},
  uid,
  timeoutMs = 120_000,
}: DemoOptions = {}): DemoRun {
  const folder = mkdtempSync(join(tmpdir(), 'vitals-demo-test-'));
  folders.push(folder);
  // PostgreSQL runs as another user where the demo runs as root.
  chmodSync(folder, 0o777);
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(OTEL_|VITALS_|PYROSCOPE_|NODE_|npm_|DATABASE_URL$|REDIS_URL$|PORT$)/.test(name),
  );
  const [program, ...before] = command ?? ['npm', 'run', 'demo', '--'];
  const child: ChildProcess = spawn(program!, [...before, ...args], {
    cwd: repository,
    env: {
      ...Object.fromEntries(clean),
      PORT: '0',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      VITALS_ADMIN_PORT: '0',
      ...env,
      TMPDIR: folder,
      // What tsx and npm keep there for their next run would count as left behind.
      TSX_DISABLE_CACHE: '1',
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`Expected to start ${program}, got no process`);
  groups.add(pid);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    child.emit('output');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), timeoutMs);
  let ended = false;
  const exit = once(child, 'close').then(([code, signal]) => {
    clearTimeout(timer);
    groups.delete(pid);
    ended = true;
    child.emit('output');
    return { code, signal };
  });
  const remains = (): string[] => [...processesOf(folder), ...readdirSync(folder)];
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    type: keys => void child.stdin?.write(keys),
    signalGroup: signal => void process.kill(-pid, signal),
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(stdout);
        if (match !== null) return match;
        if (ended) throw new Error(`Expected ${pattern}, got the end of\n${stdout}\n${stderr}`);
        await once(child, 'output');
      }
    },
    remains,
    async remainsAfter(wanted) {
      for (const end = Date.now() + wanted; Date.now() < end && remains().length > 0; ) await wait(50);
      return remains();
    },
  };
}

/** Linux: processes whose environment or command line names `folder`, without those that have ended. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid) || pid === `${process.pid}`) return [];
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const known = commandLine + readFileSync(`/proc/${pid}/environ`, 'utf8');
      return known.includes(folder) ? [`${pid} ${commandLine}`] : [];
    } catch {
      // It has ended meanwhile, or is another user's.
      return [];
    }
  });
}
