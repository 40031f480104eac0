import { type Target, UnexpectedShape } from './target';

const globalKey = Symbol.for('opentelemetry.js.api.1');

export interface OtelApi {
  readonly targets: Target[];
  /** Says that the modules that had loaded before the agent have been seen. */
  ready(): void;
  dispose(): void;
}

/**
 * The application's own copy of `@opentelemetry/api`. One of a newer minor version refuses what an older one has
 * registered, as it cannot know whether the older lacks something. The agent's providers do all that 1.x asks of
 * them, so once it has registered them the note of the version is raised, and the instruments that the application
 * makes come out.
 */
export function hookOtelApi(): OtelApi {
  let isReady = false;
  let raised: { registered: { version: string }; from: string } | undefined;

  const raise = (version: string): void => {
    const registered = (globalThis as Record<symbol, unknown>)[globalKey] as { version: string } | undefined;
    if (registered === undefined || !isNewer(version, registered.version)) return;
    raised ??= { registered, from: registered.version };
    registered.version = version;
  };
  const hook = (exports: unknown): void => {
    const { VERSION } = (exports ?? {}) as { VERSION?: unknown };
    if (typeof VERSION !== 'string') throw new UnexpectedShape(`Expected a VERSION, got ${typeof VERSION}`);
    // A copy that was there before the agent is told after the start, which is not over yet: registering asks for
    // the very version.
    if (isReady) raise(VERSION);
    else queueMicrotask(() => raise(VERSION));
  };
  return {
    targets: [
      {
        library: undefined,
        package: '@opentelemetry/api',
        // 1.9 has build/src/version.js, 1.10 dist/version.cjs and, for ES modules, dist/version.mjs.
        file: /^(build\/src\/version\.js|dist\/version\.[cm]?js)$/,
        expression: '{ VERSION }',
        hook,
      },
    ],
    ready() {
      isReady = true;
    },
    dispose() {
      if (raised !== undefined) raised.registered.version = raised.from;
      raised = undefined;
    },
  };
}

/** Whether `version` is newer than another one of the same major version. */
export function isNewer(version: string, than: string): boolean {
  const [major, minor = 0, patch = 0] = parts(version);
  const [otherMajor, otherMinor = 0, otherPatch = 0] = parts(than);
  return major === otherMajor && (minor > otherMinor || (minor === otherMinor && patch > otherPatch));
}

const parts = (version: string): number[] => version.split(/[.+-]/, 3).map(Number);
