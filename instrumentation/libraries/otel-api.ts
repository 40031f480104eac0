import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { type ApiName, apiGlobal } from '../api-global';
import { watchUnseenCopies } from './otel-api-unseen';
import { type Target, UnexpectedShape } from './target';

/** As every copy of the API has it since 1.0. */
type Register = (name: ApiName, instance: object, diag: unknown, allowOverride?: boolean) => boolean;

/** The module of the API through which all that is registered goes. */
interface GlobalUtils {
  registerGlobal: Register;
  /** Of ES modules only, where it is in scope. */
  readonly VERSION?: string;
}

/** Where `@opentelemetry/api-logs` keeps the logger provider. */
const logsKey = Symbol.for('io.opentelemetry.js.api.logs');

export interface OtelApi {
  readonly targets: Target[];
  /** Says that the agent has registered all it will. */
  registered(): void;
  dispose(): void;
}

/**
 * Looks after the copies of `@opentelemetry/api` that the application brings. All copies keep what is registered in
 * one place, and are strict about each other's version:
 *
 * - A copy of a newer minor version takes nothing from an older one, as it cannot know whether the older lacks
 *   something. The agent's providers do all that 1.x asks of them, so the note of the version is raised.
 * - A copy of another version, be it one patch away, can register nothing beside the agent, and none can register
 *   what the agent has registered. An application with an SDK of its own would lose its telemetry. So what the
 *   application registers takes the place of the agent's.
 *
 * A copy that is bundled into the application's own file cannot be hooked.
 *
 * @param onTaken told of what the application registers in the agent's place
 * @param onRefused told once that a copy which is not hooked could not register something
 */
export function hookOtelApi(onTaken: (name: ApiName) => void, onRefused: () => void = () => {}): OtelApi {
  const ours: Partial<Record<ApiName, object>> = {};
  const seen = new Set<string>();
  const undo: (() => void)[] = [];
  let ourLogs: unknown;
  let raisedFrom: string | undefined;
  let unseen: ReturnType<typeof watchUnseenCopies> | undefined;
  let isReady = false;

  const raise = (): void => {
    const api = apiGlobal();
    if (api === undefined) return;
    raisedFrom ??= api.version;
    for (const version of seen) if (isNewer(version, api.version)) Reflect.set(api, 'version', version);
  };

  const registering =
    (original: Register, version: string): Register =>
    (name, instance, diag, allowOverride) => {
      const api = apiGlobal();
      if (!isReady || api === undefined) return original(name, instance, diag, allowOverride);
      const replaced = api[name] !== undefined && api[name] === ours[name] ? ours[name] : undefined;
      if (replaced !== undefined) delete api[name];
      // The copy asks for its very own version.
      const shared = api.version;
      Reflect.set(api, 'version', version);
      const register = (): boolean => original(name, instance, diag, allowOverride);
      const done = unseen === undefined ? register() : unseen.quietly(register);
      if (isNewer(shared, version)) Reflect.set(api, 'version', shared);
      if (replaced === undefined) return done;
      delete ours[name];
      if (done) onTaken(name);
      else Reflect.set(api, name, replaced);
      return done;
    };

  const hookGlobals: Target['hook'] = (exports, _patcher, filename) => {
    const utils = exports as GlobalUtils;
    const original = utils?.registerGlobal;
    if (typeof original !== 'function') throw new UnexpectedShape('Expected registerGlobal, got none');
    const version = utils.VERSION ?? versionBeside(filename);
    utils.registerGlobal = registering(original, version);
    undo.push(() => {
      utils.registerGlobal = original;
    });
    seen.add(version);
    // One that was there before the agent waits, as registering asks for the very version.
    if (isReady) raise();
  };

  const hookLogs: Target['hook'] = (exports, patcher) => {
    const { LogsAPI } = (exports ?? {}) as { LogsAPI?: { prototype: object } };
    if (LogsAPI === undefined) throw new UnexpectedShape('Expected LogsAPI, got none');
    patcher.wrap(
      LogsAPI.prototype,
      'setGlobalLoggerProvider',
      original =>
        function (this: unknown, ...args) {
          const globals = globalThis as Record<symbol, unknown>;
          if (isReady && ourLogs !== undefined && globals[logsKey] === ourLogs) {
            delete globals[logsKey];
            ourLogs = undefined;
            onTaken('logs');
          }
          return original.apply(this, args);
        },
    );
  };

  return {
    targets: [
      {
        library: undefined,
        package: '@opentelemetry/api',
        // Up to 1.9 build/, from 1.10 dist/ with a build of ES modules.
        file: /^(build\/src|dist)\/internal\/global-utils\.[cm]?js$/,
        expression:
          '{ VERSION, get registerGlobal() { return registerGlobal; }, set registerGlobal(f) { registerGlobal = f; } }',
        hook: hookGlobals,
      },
      {
        library: undefined,
        package: '@opentelemetry/api-logs',
        file: /^build\/src\/api\/logs\.js$/,
        hook: hookLogs,
      },
    ],
    registered() {
      const { version: _, ...registered } = apiGlobal() ?? { version: '' };
      Object.assign(ours, registered);
      ourLogs = (globalThis as Record<symbol, unknown>)[logsKey];
      isReady = true;
      raise();
      if (apiGlobal() !== undefined) unseen = watchUnseenCopies(onRefused);
    },
    dispose() {
      isReady = false;
      unseen?.stop();
      // The next start registers through the agent's own copy, which asks for its own version.
      const api = apiGlobal();
      if (api !== undefined && raisedFrom !== undefined) Reflect.set(api, 'version', raisedFrom);
      for (const takeBack of undo.splice(0)) takeBack();
    },
  };
}

/** CommonJS modules have the version in a file of its own. */
function versionBeside(filename: string): string {
  const path = join(dirname(filename), '..', `version${extname(filename)}`);
  const { VERSION } = createRequire(filename)(path) as { VERSION?: unknown };
  if (typeof VERSION !== 'string') throw new UnexpectedShape(`Expected a VERSION, got ${typeof VERSION}`);
  return VERSION;
}

/** Whether `version` is newer than another one of the same major version. */
export function isNewer(version: string, than: string): boolean {
  const [major, minor = 0, patch = 0] = parts(version);
  const [otherMajor, otherMinor = 0, otherPatch = 0] = parts(than);
  return major === otherMajor && (minor > otherMinor || (minor === otherMinor && patch > otherPatch));
}

const parts = (version: string): number[] => version.split(/[.+-]/, 3).map(Number);
