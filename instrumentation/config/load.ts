import { libraryNames, meterNames } from '../names';
import { type Config, type Option, options } from './options';
import { Expected } from './parsers';
import { redact } from './redact';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Loaded {
  readonly config: Config;
  /** What was wrong, one sentence each; the option concerned has its default. */
  readonly problems: readonly string[];
}

/** Reads the configuration out of an environment. Pure: it looks at nothing else and never throws. */
export function loadConfig(env: Environment): Loaded {
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, option] of Object.entries(options) as [string, Option<unknown>][]) {
    config[key] = read(env, option, problems);
  }
  const loaded = config as unknown as Config;
  checkNames(loaded, problems);
  return { config: Object.freeze(loaded), problems };
}

function read(env: Environment, option: Option<unknown>, problems: string[]): unknown {
  // An empty value counts as not set, by OpenTelemetry's specification.
  const text = env[option.env]?.trim();
  if (text === undefined || text === '') return option.default;
  try {
    return option.parser.parse(text);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    problems.push(`${option.env}: expected ${error.message}, got ${redact(option, text)}`);
    return option.default;
  }
}

const known: readonly string[] = [...meterNames, ...libraryNames];

/** A name nobody knows stops nothing: it is said, and ignored. */
function checkNames(config: Config, problems: string[]): void {
  for (const key of ['enabled', 'disabledNames'] as const) {
    const wrong = config[key]?.filter(name => !known.includes(name)) ?? [];
    if (wrong.length > 0) {
      problems.push(
        `${options[key].env}: expected names out of ${known.join(', ')}, got ${wrong.map(quote).join(', ')}`,
      );
    }
  }
}

const quote = (text: string): string => JSON.stringify(text);

/** Whether a meter or library is wanted: by name in the one list, or not named in the other. */
export function isEnabled(config: Config, name: string): boolean {
  return (config.enabled?.includes(name) ?? true) && !config.disabledNames.includes(name);
}
