import { once } from 'node:events';
import { type App, type AppOptions, register, scrape, startApp } from './app';
import { Samples } from './samples';

/** How each kind of fixture is preloaded; `bare` is without the agent. */
export const ways = {
  bare: [],
  require: undefined,
  import: ['--import', register],
} as const;

export interface SteppedOptions extends AppOptions {
  /** @default 'require' */
  readonly way?: keyof typeof ways;
}

/** An application that does what a test asks for, one named step after another; see fixtures/apps/steps.js. */
export interface SteppedApp {
  readonly app: App;
  /** Runs a step and gives what it returned; rejects with the message of what it threw. */
  step<T = unknown>(name: string, ...args: unknown[]): Promise<T>;
  /** What a scrape shows now. */
  metrics(): Promise<Samples>;
  /** Lets the application end by itself, and fails unless it does with 0 and prints no error. */
  end(): Promise<void>;
}

/** Starts a fixture that serves steps. */
export async function startStepped(
  script: string,
  { way = 'require', ...options }: SteppedOptions = {},
): Promise<SteppedApp> {
  const nodeArgs = ways[way];
  const app = startApp(script, { ipc: true, ...(nodeArgs === undefined ? {} : { nodeArgs }), ...options });
  await app.printed(/ready/);
  const url = way === 'bare' ? undefined : await app.metricsUrl();
  return {
    app,
    async step<T>(name: string, ...args: unknown[]) {
      const answered = once(app.process, 'message');
      app.process.send({ name, args });
      const ended = app.exit.then(({ stderr }) => {
        throw new Error(`Expected an answer to ${name}, got end of process\n${stderr}`);
      });
      const [answer] = (await Promise.race([answered, ended])) as [{ error?: string; value?: unknown }];
      if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`);
      return answer.value as T;
    },
    async metrics() {
      if (url === undefined) throw new Error('Expected an agent, got a bare application');
      return new Samples(await scrape(url));
    },
    async end() {
      app.process.send({ name: 'end', args: [] });
      const { code, signal, stderr } = await app.exit;
      const errors = stderr
        .split('\n')
        .filter(line => line !== '' && !line.includes('metrics are served at'));
      if (code !== 0 || errors.length > 0) {
        throw new Error(`Expected a quiet end, got ${signal ?? code}\n${errors.join('\n')}`);
      }
    },
  };
}
