import type { Parser } from './parsers';

/** One variable: how it is read, what it is without, and what the documentation says of it. */
export interface Option<T> {
  readonly env: string;
  readonly parser: Parser<T>;
  readonly default: T;
  /** The default in words, where the value says too little. */
  readonly defaultText?: string;
  /** Never printed. */
  readonly secret?: true;
  readonly group: Group;
  readonly description: string;
}

export type Group =
  | 'General'
  | 'Metrics'
  | 'OTLP'
  | 'Traces and logs'
  | 'Continuous profiling'
  | 'Profiling on demand'
  | 'Auto-profiler'
  | 'Diagnosis';

export function option<T>(
  group: Group,
  env: string,
  parser: Parser<T>,
  fallback: NoInfer<T>,
  description: string,
  more: Partial<Option<T>> = {},
): Option<T> {
  return {
    env,
    parser,
    default: fallback,
    description,
    group,
    ...(parser.type === 'secret' ? { secret: true } : {}),
    ...more,
  };
}

/** The default of an option that may be left out. */
export const none = undefined as string | undefined;

/** Lets an option have no value. */
export const optional = <T>(parser: Parser<T>) => parser as Parser<T | undefined>;
